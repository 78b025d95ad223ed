import { ensureTestServer } from './servers';

/** Jest's global setup for workflow tests: each file starts the time-skipping server itself, here it is only found. */
export default async function globalSetup(): Promise<void> {
  await ensureTestServer();
}
