import { serverArgs } from './temporal-server';

const options = { binary: 'temporal', port: 7233, log: () => undefined };
const settings = (args: string[]) => args.filter((_, at) => args[at - 1] === '--dynamic-config-value');

test('fairness is on and vendor queues have one partition', () => {
  expect(settings(serverArgs(options, 7233, undefined))).toEqual([
    'matching.enableFairness=true',
    'matching.numTaskqueueReadPartitions=1',
    'matching.numTaskqueueWritePartitions=1',
    'frontend.WorkflowPauseEnabled=true',
  ]);
});

test('it listens on the loopback address alone, Web UI included', () => {
  const args = serverArgs({ ...options, dbFile: '/data/temporal.db', metricsPort: 9500 }, 7233, 8233);
  expect(args.join(' ')).toContain(
    '--ip 127.0.0.1 --port 7233 --log-level error --ui-ip 127.0.0.1 --ui-port 8233 --metrics-port 9500 --db-filename /data/temporal.db',
  );
  expect(args).not.toContain('--headless');
  expect(serverArgs(options, 7233, undefined)).toContain('--headless');
});

test('only tests pay for exact timers', () => {
  expect(settings(serverArgs({ ...options, fastTimers: true }, 7233, undefined))).toContain('history.timerProcessorMaxTimeShift="10ms"');
});
