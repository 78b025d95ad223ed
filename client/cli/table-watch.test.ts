import type { TableRunView } from '../../schemas/table';
import { sampleTableView } from '../../test/support/sample-table-run';
import type { RunTrouble } from './table-trouble';
import { watchEnd, watchRun } from './table-watch';

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

describe('a run that was asked to end', () => {
  /** Open for so many seconds; asked each second. */
  async function ending(seconds: number, viewAt: (second: number) => TableRunView, stall: RunTrouble | null) {
    let second = 0;
    const notes: [number, string][] = [];
    const found = await watchEnd({
      view: () => Promise.resolve(second < seconds ? viewAt(second) : { ...planning, state: 'cancelled' }),
      isOpen: () => Promise.resolve(second < seconds),
      stall: () => Promise.resolve(stall),
      note: (text) => void notes.push([second, text]),
      now: () => second * 1_000,
      wait: () => Promise.resolve(second++),
    });
    return { ...found, notes, second };
  }
  const closing: TableRunView = { ...planning, state: 'closing' };

  test('ends without another word, though it waited for approval when it was asked', async () => {
    const { view, trouble, notes } = await ending(3, (second) => (second < 1 ? { ...planning, state: 'waiting' } : closing), noWorker);
    expect({ state: view.state, trouble, notes }).toEqual({ state: 'cancelled', trouble: null, notes: [] });
  });

  test('nobody works for it: it is not waited for, and why is told', async () => {
    const { view, trouble, second } = await ending(Infinity, () => closing, noWorker);
    expect({ state: view.state, second }).toEqual({ state: 'closing', second: 2 });
    expect(trouble).toEqual({ ...noWorker, why: 'it was asked to end, and nobody is there to do it: nobody polls queue warehouse/main' });
  });

  test('a worker that takes its time, or a vendor, is waited for; every half a minute it says so', async () => {
    for (const stall of [null, { code: 'paused', why: 'an operator paused it' }]) {
      const { view, trouble, notes } = await ending(65, () => closing, stall);
      expect({ state: view.state, trouble }).toEqual({ state: 'cancelled', trouble: null });
      expect(notes).toEqual([
        [30, 'ending: counting'],
        [60, 'ending: counting'],
      ]);
    }
  });
});
