/** `npm run bench -- <name> [--json] [options]` */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { ack } from './ack/bench';
import { UsageError, type Bench } from './bench';
import { budget } from './budget/bench';
import { engine } from './engine/bench';
import { asTable } from './report';
import { createSetting } from './setting';
import { table } from './table/bench';

/** Every bench, by name. */
const benches: readonly Bench[] = [engine, ack, budget, table];

const log = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const [name, ...args] = process.argv.slice(2);
  const bench = benches.find((one) => one.name === name);
  if (!bench) {
    log(usage());
    return 2;
  }
  const options = Object.fromEntries(
    Object.entries(bench.options).map(([option, { default: value }]) => [option, { type: 'string' as const, default: value }]),
  );
  const { values } = parseArgs({ args, options: { ...options, json: { type: 'boolean', default: false } } });
  const option = (wanted: string): string => (values as unknown as Record<string, string | undefined>)[wanted] ?? '';
  const count = (wanted: string): number => {
    const value = Number(option(wanted));
    if (!Number.isFinite(value) || value < 0) throw new UsageError(`--${wanted} is "${option(wanted)}"; expected a number`);
    return value;
  };

  const load1m = Math.round((os.loadavg()[0] ?? 0) * 100) / 100;
  log(`bench ${bench.name}: load before the start ${load1m} on ${os.cpus().length} cores`);
  const setting = await createSetting(log);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void setting.supervisor.killAll().finally(() => process.exit(130)));
  const startedAt = Date.now();
  try {
    const results = await bench.run({ setting, log, option, count });
    log(`bench ${bench.name}: took ${Math.round((Date.now() - startedAt) / 1000)} s; load at the end ${os.loadavg()[0]?.toFixed(2)}\n`);
    process.stdout.write(values.json ? `${JSON.stringify({ bench: bench.name, load1m, results })}\n` : `${asTable(results)}\n`);
    return 0;
  } finally {
    await setting.close();
  }
}

function usage(): string {
  const lines = benches.flatMap(({ name, summary, options }) => [
    `  ${name.padEnd(10)} ${summary}`,
    ...Object.entries(options).map(([option, { default: value, help }]) => `               --${option} ${value}   ${help}`),
  ]);
  return ['npm run bench -- <name> [--json] [options]', '', ...lines].join('\n');
}

main().then(
  (code) => process.exit(code),
  (error: Error & { code?: string }) => {
    const wrongUse = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS');
    log(wrongUse ? `${error.message}\n\n${usage()}` : String(error.stack ?? error));
    process.exit(wrongUse ? 2 : 1);
  },
);
