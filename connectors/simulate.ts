import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSimulator } from './simulator';
import type { SimConfigInput } from './simulator/config';
import type { SimulatedVendor } from './simulator/types';

const usage = `simulate --vendor <name> [--port 0] [--host 127.0.0.1] [--exit-with-parent]
         [--plan <plan>] [--limits declared|unlimited] [--window-scale 0.1] [--latency-ms 20 | 20-80]
         [--token <accepted>]… [--property <known>]… [--retry-after none|seconds|date] [--seed 1]`;

/** A simulator as a process of its own: one line of JSON on stdout once it listens, SIGTERM ends it. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      vendor: { type: 'string' },
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      'exit-with-parent': { type: 'boolean', default: false },
      plan: { type: 'string' },
      limits: { type: 'string' },
      'window-scale': { type: 'string' },
      'latency-ms': { type: 'string' },
      token: { type: 'string', multiple: true },
      property: { type: 'string', multiple: true },
      'retry-after': { type: 'string' },
      seed: { type: 'string' },
    },
  });
  if (!/^[a-z][a-z0-9-]*$/.test(values.vendor ?? '')) throw new Error('--vendor is missing or not a vendor folder’s name');
  const [low, high] = (values['latency-ms'] ?? '').split('-').map(Number);
  const config = {
    plan: values.plan,
    limits: values.limits,
    windowScale: values['window-scale'] === undefined ? undefined : Number(values['window-scale']),
    latencyMs: values['latency-ms'] === undefined ? undefined : high === undefined ? low : [low, high],
    tokens: values.token,
    properties: values.property,
    retryAfter: values['retry-after'],
    seed: values.seed === undefined ? undefined : Number(values.seed),
  };

  const simulator = createSimulator(vendorNamed(values.vendor!), config as SimConfigInput);
  const stop = (): void => {
    void simulator.close().finally(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const { port, url } = await simulator.listen({ port: Number(values.port), host: values.host });
  process.stdout.write(`${JSON.stringify({ ready: true, name: `sim-${values.vendor}`, port, url })}\n`);
  if (values['exit-with-parent']) {
    process.stdin.on('end', stop).on('error', stop);
    process.stdin.resume();
  }
}

/** By convention `connectors/<vendor>/simulator` exports `simulated`: a new vendor needs no list. */
function vendorNamed(name: string): SimulatedVendor {
  const load = createRequire(__filename);
  const path = join(__dirname, name, 'simulator');
  try {
    return (load(path) as { simulated: SimulatedVendor }).simulated;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith(`Cannot find module '${path}'`)) throw new Error(`there is no simulator for "${name}"`);
    throw error;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
  process.exit(2);
});
