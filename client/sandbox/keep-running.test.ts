import type { Child, ChildExit } from './child';
import { keepRunning } from './keep-running';

interface Fake extends Child {
  die(exit?: Partial<ChildExit>): void;
}

function fakeChild(pid: number): Fake {
  let die: (exit: ChildExit) => void = () => undefined;
  const exited = new Promise<ChildExit>((resolve) => (die = resolve));
  const nothing = () => Promise.resolve();
  const lastLines = () => '{"level":"error","msg":"cannot go on","err":{"message":"disk full"}}';
  return { name: 'worker', pid, exited, lastLines, stop: nothing, kill: nothing, die: (exit) => die({ code: 1, signal: null, expected: false, ...exit }) };
}

/** Children by order of start; an Error in the list is a start that fails. */
function scenario(plan: (Fake | Error)[]) {
  const lines: string[] = [];
  const closing = new AbortController();
  const restarted: number[] = [];
  const start = () => {
    const next = plan.shift();
    if (!next) throw new Error('started more often than planned');
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
  let restarts: () => void = () => undefined;
  const options = {
    log: (line: string) => void lines.push(line),
    closing: closing.signal,
    firstWaitMs: 1,
    onRestart: ({ pid }: Child) => {
      restarted.push(pid);
      if (plan.length === 0) restarts();
    },
  };
  return { start, options, lines, restarted, closing, allRestarted: () => new Promise<void>((resolve) => (restarts = resolve)) };
}

test('one that ends unasked is started again, and its last words are told in words', async () => {
  const [first, second] = [fakeChild(1), fakeChild(2)];
  const { start, options, lines, allRestarted } = scenario([first, second]);
  const kept = await keepRunning(start, options);
  const done = allRestarted();
  first.die();
  await done;
  expect(kept.current().pid).toBe(2);
  expect(lines).toEqual([
    'worker ended (exit code 1). Its last words:\n    cannot go on: disk full',
    'worker: starting it again in 0.001 s',
    'worker runs again (process 2)',
  ]);
});

test('a start that fails is tried again, later each time', async () => {
  const [first, second] = [fakeChild(1), fakeChild(2)];
  const { start, options, lines, allRestarted } = scenario([first, new Error('port taken'), new Error('port taken'), second]);
  await keepRunning(start, options);
  const done = allRestarted();
  first.die({ signal: 'SIGKILL', code: null });
  await done;
  expect(lines.filter((line) => line.includes('again in'))).toEqual([0.001, 0.002, 0.004].map((seconds) => `worker: starting it again in ${seconds} s`));
  expect(lines[0]).toContain('worker ended (SIGKILL)');
});

test.each(['asked', 'closing'] as const)('one that ends because it was %s stays down', async (why) => {
  const first = fakeChild(1);
  const { start, options, lines, closing } = scenario([first]);
  await keepRunning(start, options);
  if (why === 'closing') closing.abort();
  first.die({ expected: why === 'asked' });
  await first.exited;
  expect(lines).toEqual([]);
});

test('a first start that fails is the caller’s', async () => {
  const { start, options } = scenario([new Error('no such program')]);
  await expect(keepRunning(start, options)).rejects.toThrow('no such program');
});
