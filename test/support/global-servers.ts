import { ensurePostgres, ensureTemporal, ensureTestServer } from './servers';

/** Jest's global setup for projects that need PostgreSQL and a Temporal server. */
export default async function globalSetup(): Promise<void> {
  await Promise.all([ensurePostgres(), ensureTemporal().then(ensureTestServer)]);
}
