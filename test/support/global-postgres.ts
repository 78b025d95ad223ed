import { ensurePostgres } from './servers';

/** Jest's global setup for projects that need PostgreSQL and nothing else. */
export default async function globalSetup(): Promise<void> {
  await ensurePostgres();
}
