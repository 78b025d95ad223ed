/** Process: what people write first. Reads pages by key, maps, posts batches, a few at a time; keeps nothing of what became of a row. */
import { Pool } from 'pg';
import { serveCommands } from '../control';
import { contactOf, type Person } from './people';

const [url, token] = [process.env['SYNCLINE_HUBSPOT_MAIN_BASE_URL'] ?? '', process.env['SYNCLINE_HUBSPOT_MAIN_TOKEN'] ?? ''];
const pageRows = 1_000;

/** How many records the vendor says it wrote. */
async function post(people: readonly Person[]): Promise<number> {
  const inputs = people
    .map(contactOf)
    .map(({ email, properties }, index) => ({ id: email, idProperty: 'email', objectWriteTraceId: String(index + 1), properties }));
  const response = await fetch(`${url}/crm/v3/objects/contacts/batch/upsert`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ inputs }),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return ((await response.json()) as { results: unknown[] }).results.length;
}

async function run({ batch, calls }: { batch: number; calls: number }): Promise<{ seconds: number; written: number }> {
  const pool = new Pool({ connectionString: process.env['SYNCLINE_WAREHOUSE_MAIN_URL'] });
  const startedAt = performance.now();
  const inFlight = new Set<Promise<void>>();
  let written = 0;
  for (let after = 0, rows: Person[]; ; after = rows.at(-1)!.id) {
    ({ rows } = await pool.query<Person>('select id, email, name, visits from public.people where id > $1 order by id limit $2', [after, pageRows]));
    if (rows.length === 0) break;
    for (let from = 0; from < rows.length; from += batch) {
      while (inFlight.size >= calls) await Promise.race(inFlight);
      const call: Promise<void> = post(rows.slice(from, from + batch)).then((count) => {
        written += count;
        inFlight.delete(call);
      });
      inFlight.add(call);
    }
  }
  await Promise.all(inFlight);
  const seconds = (performance.now() - startedAt) / 1_000;
  await pool.end();
  return { seconds, written };
}

async function main(): Promise<void> {
  const address = await serveCommands({ run });
  process.stdout.write(`${JSON.stringify({ ready: true, name: 'script', url: address })}\n`);
  process.once('SIGTERM', () => process.exit(0));
}

void main();
