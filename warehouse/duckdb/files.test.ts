import { DuckDBInstance } from '@duckdb/node-api';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createDuckDBWarehouse, type Warehouse } from '..';
import type { PlanRequest } from '../port';

let folder: string;
let warehouse: Warehouse;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'syncline-files-'));
  warehouse = createDuckDBWarehouse({ name: 'files', statePath: path.join(folder, 'state.duckdb') });
});
afterAll(async () => {
  await warehouse?.stop();
  await rm(folder, { recursive: true, force: true });
});

const columns = ['id', 'email', 'since'];
const request = (syncId: string, query: string, runId: string): PlanRequest => ({
  syncId,
  runId,
  workflowId: `${syncId}/run`,
  source: { query, key: ['id'], columns },
  mapVersion: 1,
  full: false,
  retryRejected: false,
  removals: true,
  chunkRows: 100,
});

const rows = (more = '') => `id,email,since\n1,ada@example.com,2026-01-31\n2,"grace, the admiral@example.com",\n${more}`;

async function write(file: string, text: string): Promise<void> {
  if (file.endsWith('.csv')) return writeFile(file, text);
  const csv = `${file}.csv`;
  await writeFile(csv, text);
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(`copy (select * from read_csv('${csv}')) to '${file}' (format parquet)`);
  connection.closeSync();
}

test.each([
  ['a CSV file', 'people.csv', 'read_csv'],
  ['a Parquet file', 'people.parquet', 'read_parquet'],
])('%s is read by a query, without a database; what changes in it is found', async (_name, name, reader) => {
  const file = path.join(folder, name);
  const query = `select * from ${reader}('${file}')`;
  const syncId = reader.replace('_', '-');
  await write(file, rows());
  const first = request(syncId, query, `${syncId}-1`);
  expect(await warehouse.plan(first)).toMatchObject({ read: 2, added: 2, planned: 2, chunks: 1 });
  const chunk = { runId: first.runId, chunk: 0 };
  await warehouse.lease(chunk, 'me', 10_000);
  const open = await warehouse.read({ ...first, chunk: 0, after: -1, limit: 10 });
  expect(open.map(({ values }) => values)).toEqual([
    { id: 1, email: 'ada@example.com', since: '2026-01-31' },
    { id: 2, email: 'grace, the admiral@example.com', since: null },
  ]);
  await warehouse.commit(
    chunk,
    'me',
    open.map(({ n, key, fingerprint }) => ({ n, outcome: 'accepted', attempts: 1, fingerprint, targetKey: key })),
  );
  await warehouse.finish({ ...chunk, syncId });
  await warehouse.close({ syncId, runId: first.runId, state: 'done', open: 'cancelled', approvals: [] });

  await write(file, rows('3,new@example.com,2026-02-01\n').replace('ada@', 'ada.lovelace@'));
  expect(await warehouse.plan(request(syncId, query, `${syncId}-2`))).toMatchObject({ read: 3, added: 1, changed: 1, unchanged: 1, planned: 2 });
});

test('a file that is not there is named', async () => {
  await expect(warehouse.plan(request('missing', `select * from read_csv('${folder}/none.csv')`, 'm-1'))).rejects.toThrow(/none\.csv/);
});
