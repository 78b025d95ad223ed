/** Process entry of the codec endpoint. `SYNCLINE_CODEC_PORT` (8081), `SYNCLINE_CODEC_KEY`, `SYNCLINE_CODEC_ORIGINS`. */
import type { AddressInfo } from 'node:net';
import { createCodec } from '../../platform/codec';
import { codecKeyVariable, logLevelVariable, portVariable, readVariables, textVariable } from '../../platform/config';
import { createLog, printReady } from '../../platform/logging';
import { closeOnSignal, runMain } from '../../platform/shutdown';
import { createCodecServer } from './server';

/** Not configurable: what this process hands out is plain text. */
const host = '127.0.0.1';

async function main(): Promise<void> {
  const config = readVariables({
    port: portVariable('SYNCLINE_CODEC_PORT', 8081),
    origins: textVariable('SYNCLINE_CODEC_ORIGINS', 'http://localhost:8233,http://127.0.0.1:8233'),
    codecKeys: codecKeyVariable,
    logLevel: logLevelVariable,
  });
  const log = createLog({ name: 'syncline-codec', level: config.logLevel });
  const origins = config.origins.split(',').map((origin) => origin.trim().replace(/\/$/, ''));
  const server = createCodecServer({ codec: createCodec(config.codecKeys), origins });
  await server.listen({ port: config.port, host });
  const { port } = server.server.address() as AddressInfo;
  closeOnSignal(log, () => server.close());
  log.info({ port, origins, keys: config.codecKeys.map((key) => key.id) }, 'codec endpoint is up');
  printReady({ name: 'codec', port, url: `http://${host}:${port}` });
}

runMain(main, { portVariable: 'SYNCLINE_CODEC_PORT' });
