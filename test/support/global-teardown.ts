import { stopTestServers } from './servers';

/** Jest runs it once, after the last project, even when several projects name it. */
export default async function globalTeardown(): Promise<void> {
  await stopTestServers();
}
