import type { RowItem } from './items';
import { RowQueue } from './row-queue';

const row = (key: string, change: Partial<RowItem> = {}): RowItem =>
  ({ key, row: { n: 0 }, input: {}, size: 1, attempts: 0, cap: 100, notBeforeMs: 0, failedAtMs: 0, ...change }) as RowItem;
const keys = (batch: RowItem[]): string[] => batch.map(({ key }) => key);
const suspects = ({ key }: RowItem): boolean => key.startsWith('bad');

function queueOf(...rows: RowItem[]): RowQueue {
  const queue = new RowQueue({ maxBatch: 10, maxBatchBytes: 1_000, now: () => 5 });
  queue.add(rows);
  return queue;
}

test('the row of a probe: the first that is no suspect and may go; a suspect only if no other may', () => {
  const queue = queueOf(row('bad1'), row('later', { notBeforeMs: 9 }), row('good1'), row('bad2'), row('good2'));
  expect(keys(queue.takeOne(suspects))).toEqual(['good1']);
  expect(keys(queue.takeOne(suspects))).toEqual(['good2']);
  expect(keys(queue.takeOne(suspects))).toEqual(['bad1']);
  // Those passed over keep their place.
  expect(keys(queue.take(10))).toEqual(['bad2']);
});

test('two writes of one record keep their order, whoever is passed over', () => {
  const queue = queueOf(row('bad1'), row('bad1', { size: 2 }));
  expect(queue.takeOne(suspects)).toMatchObject([{ key: 'bad1', size: 1 }]);
  expect(queue.takeOne(suspects)).toEqual([]);
});

test('a half of a refused call goes first, unless it begins with a suspect', () => {
  const queue = queueOf(row('good1'));
  queue.force([row('bad1'), row('good2')]);
  expect(keys(queue.takeOne(suspects))).toEqual(['good1']);
  expect(keys(queue.takeOne(suspects))).toEqual(['bad1']);
  expect(keys(queue.takeOne(suspects))).toEqual(['good2']);
});
