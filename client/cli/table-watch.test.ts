import type { TableRunView } from '../../schemas/table';
import { sampleTableView } from '../../test/support/sample-table-run';
import type { RunTrouble } from './table-trouble';
import { watchRun } from './table-watch';

const planning = sampleTableView();
const noWorker: RunTrouble = { code: 'no-worker', why: 'nobody polls queue warehouse/main', next: 'restart the worker' };

/** Watches for so many seconds with a look each second; every note with its second. */
async function notesOf(seconds: number, viewAt: (second: number) => TableRunView, stall: RunTrouble | null) {
  let second = 0;
  let asked = 0;
  const notes: [number, string][] = [];
  const end = await watchRun({
    view: () => Promise.resolve(second < seconds ? viewAt(second) : { ...planning, state: 'done' }),
    isOpen: () => Promise.resolve(true),
    stall: () => Promise.resolve((asked++, stall)),
    note: (text) => void notes.push([second, text]),
    now: () => second * 1_000,
    wait: () => Promise.resolve(second++),
  });
  expect(end.state).toBe('done');
  return { notes, asked };
}

test('a run that nobody works for: after 10 s it says why and what to do, and repeats itself every half a minute only', async () => {
  const { notes } = await notesOf(60, () => planning, noWorker);
  const reason = 'comparing rows\n  why:  nobody polls queue warehouse/main\n  next: restart the worker';
  expect(notes).toEqual([
    [0, 'comparing rows'],
    [10, reason],
    [40, reason],
  ]);
});

test('a worker that takes its time is left to it', async () => {
  const { notes, asked } = await notesOf(35, () => planning, null);
  expect(notes).toEqual([
    [0, 'comparing rows'],
    [30, 'comparing rows'],
  ]);
  expect(asked).toBe(3);
});

test('progress is told when there is some, and ends a stall', async () => {
  const counts = { planned: 100 } as TableRunView['counts'];
  const running = (ended: number): TableRunView => ({ ...planning, state: 'running', counts, ended, chunksEnded: ended / 10 });
  const { notes } = await notesOf(16, (second) => running(second < 15 ? 10 : 20), { code: 'paused', why: 'an operator paused it' });
  expect(notes.map(([second, text]) => [second, text.split(',')[0]])).toEqual([
    [0, '10 of 100 rows'],
    [10, '10 of 100 rows'],
    [15, '20 of 100 rows'],
  ]);
  expect(notes[1]![1]).toContain('why:  an operator paused it');
  expect(notes[2]![1]).not.toContain('why');
});
