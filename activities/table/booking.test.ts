import type { RowEnd } from '../../warehouse/port';
import { Booking } from './booking';

const row = (n: number): RowEnd => ({ n, outcome: 'accepted', attempts: 1 });

function recorded() {
  const writes: { ns: number[]; end: (error?: Error) => void }[] = [];
  const booking = new Booking(
    (ends) => new Promise((resolve, reject) => writes.push({ ns: ends.map(({ n }) => n), end: (error) => (error ? reject(error) : resolve()) })),
  );
  return { booking, writes };
}

/** Until promises have had their turn. */
const settled = () => new Promise(setImmediate);

test('what comes while a write is under way shares the next, and is told only when that is done', async () => {
  const { booking, writes } = recorded();
  const told: string[] = [];
  const add = (name: string, n: number) => booking.add([row(n)]).then(() => told.push(name));
  const all = [add('first', 1)];
  await settled();
  all.push(add('second', 2), add('third', 3));
  await settled();
  expect(writes.map(({ ns }) => ns)).toEqual([[1]]);
  writes[0]!.end();
  await settled();
  expect(told).toEqual(['first']);
  expect(writes.map(({ ns }) => ns)).toEqual([[1], [2, 3]]);
  writes[1]!.end();
  await Promise.all(all);
  expect(told).toEqual(['first', 'second', 'third']);
});

test('a write that fails fails for all who shared it, and for nobody else', async () => {
  const { booking, writes } = recorded();
  const first = booking.add([row(1)]);
  await settled();
  const shared = [booking.add([row(2)]), booking.add([row(3)])];
  const caught = Promise.allSettled(shared);
  writes[0]!.end();
  await first;
  await settled();
  writes[1]!.end(new Error('away'));
  expect((await caught).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const after = booking.add([row(4)]);
  await settled();
  writes[2]!.end();
  await after;
});
