import { GroupCommit, type GroupCommitOptions } from './group-commit';

/** Runs that end when the test says so. */
function controlled(options: Partial<GroupCommitOptions<string>> = {}) {
  const runs: { items: string[]; end: (error?: Error) => void }[] = [];
  const run = (items: string[]) =>
    new Promise<string[]>((resolve, reject) => {
      runs.push({ items, end: (error) => (error ? reject(error) : resolve(items.map((item) => item.toUpperCase()))) });
    });
  const commits = new GroupCommit(run, {
    maxItems: 3,
    maxBytes: 100,
    maxInFlight: 1,
    timeoutMs: 1_000,
    bytes: (item) => item.length,
    isItemsFault: (error) => (error as Error).message === 'fault',
    ...options,
  });
  return { commits, runs, items: () => runs.map((one) => one.items) };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());
const turn = () => jest.advanceTimersByTimeAsync(0);

test('alone at once; what comes meanwhile goes together, in order, so many at a time', async () => {
  const { commits, runs, items } = controlled();
  const answers = ['a', 'b', 'c', 'd', 'e'].map((item) => commits.submit(item));
  expect(items()).toEqual([['a']]);
  runs[0]?.end();
  await turn();
  expect(items()).toEqual([['a'], ['b', 'c', 'd']]);
  runs[1]?.end();
  await turn();
  runs[2]?.end();
  expect(await Promise.all(answers)).toEqual(['A', 'B', 'C', 'D', 'E']);
});

test('several runs at a time, when allowed', () => {
  const { commits, items } = controlled({ maxInFlight: 2 });
  for (const item of ['a', 'b', 'c']) void commits.submit(item);
  expect(items()).toEqual([['a'], ['b']]);
});

test('so many bytes at a time; a larger one goes alone', async () => {
  const { commits, runs, items } = controlled({ maxBytes: 10 });
  const answers = ['first', 'x'.repeat(6), 'y'.repeat(6), 'z'.repeat(50), 'last'].map((item) => commits.submit(item));
  for (let index = 0; index < 5; index++) {
    runs[index]?.end();
    await turn();
  }
  expect(items().map((batch) => batch.map((item) => item.length))).toEqual([[5], [6], [6], [50], [4]]);
  await Promise.all(answers);
});

test('an item at fault is found by halves, and only it is refused', async () => {
  const { commits, runs } = controlled({ maxItems: 10 });
  const first = commits.submit('a');
  const answers = ['b', 'c', 'bad', 'd', 'e'].map((item) => commits.submit(item));
  const settled = Promise.allSettled(answers);
  for (let index = 0; index < 12; index++) {
    const run = runs[index];
    run?.end(run.items.includes('bad') ? new Error('fault') : undefined);
    await turn();
  }
  expect(await first).toBe('A');
  expect((await settled).map((one) => (one.status === 'fulfilled' ? one.value : 'refused'))).toEqual(['B', 'C', 'refused', 'D', 'E']);
});

test("any other failure is everyone's, and the next run is tried", async () => {
  const { commits, runs } = controlled();
  const answers = Promise.allSettled(['a', 'b', 'c'].map((item) => commits.submit(item)));
  runs[0]?.end();
  await turn();
  runs[1]?.end(new Error('no connection'));
  expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  const next = commits.submit('d');
  await turn();
  runs[2]?.end();
  expect(await next).toBe('D');
});

test('nobody waits longer than the timeout, and who gave up in the queue is not run', async () => {
  const { commits, runs, items } = controlled();
  const answers = Promise.allSettled([commits.submit('a'), commits.submit('b')]);
  await jest.advanceTimersByTimeAsync(1_000);
  expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  runs[0]?.end();
  await turn();
  expect(items()).toEqual([['a']]);
});
