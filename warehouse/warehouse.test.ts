import { randomUUID } from 'node:crypto';
import type { TableSource } from '../schemas/table';
import { testWarehouses, type TestWarehouse } from '../test/support/warehouses';
import { maskText } from '../connectors/mask';
import { WarehouseError, type OpenRow, type PlanRequest, type RowEnd, type Warehouse } from './port';

describe.each(testWarehouses)('$engine', ({ engine, create }) => {
  let db: TestWarehouse;
  let warehouse: Warehouse;
  beforeAll(async () => {
    db = await create();
    warehouse = db.warehouse;
  });
  afterAll(() => db?.drop());

  let table = 0;
  /** A table of people, `rows` of them, and a sync of its own on it. */
  const people = async (rows: number, columns = 'id integer primary key, email text, score numeric(10,2)') => {
    const name = `people_${++table}`;
    await db.sql(`create table ${name} (${columns})`);
    if (rows > 0) await db.sql(`insert into ${name} select i, 'p' || i || '@example.com', i * 1.5 from generate_series(1, ${rows}) as t(i)`);
    return { name, syncId: name.replace('_', '-'), source: { table: name, key: ['id'], columns: ['id', 'email', 'score'] } satisfies TableSource };
  };
  type People = Awaited<ReturnType<typeof people>>;

  const request = ({ syncId, source }: { syncId: string; source: TableSource }, change: Partial<PlanRequest> = {}): PlanRequest => ({
    syncId,
    runId: `run-${randomUUID().slice(0, 8)}`,
    workflowId: `${syncId}/run`,
    source,
    mapVersion: 1,
    full: false,
    retryRejected: false,
    removals: true,
    chunkRows: 100,
    ...change,
  });
  const read = (of: PlanRequest, chunk: number, after = -1, limit = 1_000) => warehouse.read({ ...of, chunk, after, limit });
  const landed = (row: OpenRow): RowEnd => ({
    n: row.n,
    outcome: 'accepted',
    attempts: 1,
    fingerprint: row.fingerprint,
    targetKey: row.key,
    vendorId: `v${row.key}`,
  });

  /** A whole run, every row ending as `end` says. */
  const run = async (of: { syncId: string; source: TableSource }, change: Partial<PlanRequest> = {}, end: (row: OpenRow) => RowEnd = landed) => {
    const wanted = request(of, change);
    const counts = await warehouse.plan(wanted);
    for (let chunk = 0; chunk < counts.chunks; chunk++) {
      const ref = { runId: wanted.runId, chunk };
      expect(await warehouse.lease(ref, 'me', 10_000)).toEqual({ held: true });
      const rows = await read(wanted, chunk);
      expect(await warehouse.commit(ref, 'me', rows.map(end))).toBe(rows.length > 0);
      await warehouse.finish({ ...ref, syncId: of.syncId });
    }
    const closed = await warehouse.close({ syncId: of.syncId, runId: wanted.runId, state: 'done', open: 'cancelled', approvals: [] });
    return { counts, closed, wanted };
  };

  test('added, changed, removed, unchanged: only what differs is planned, chunk by chunk', async () => {
    const of = await people(250);
    const first = await run(of);
    expect(first.counts).toMatchObject({ read: 250, known: 0, added: 250, changed: 0, removed: 0, unchanged: 0, planned: 250, chunks: 3 });
    expect(first.closed).toMatchObject({ planned: 250, outcomes: { accepted: 250 } });
    expect((await run(of)).counts).toMatchObject({ read: 250, known: 250, unchanged: 250, planned: 0, chunks: 0 });

    await db.sql(`update ${of.name} set score = score + 1 where id <= 5`);
    await db.sql(`delete from ${of.name} where id > 240`);
    await db.sql(`insert into ${of.name} values (900, 'new@example.com', 1)`);
    const wanted = request(of);
    expect(await warehouse.plan(wanted)).toMatchObject({ read: 241, known: 250, added: 1, changed: 5, removed: 10, unchanged: 235, planned: 16, chunks: 2 });
    expect((await read(wanted, 0)).map(({ key, op, found }) => [key, op, found])).toEqual([
      ...[1, 2, 3, 4, 5].map((id) => [String(id), 'upsert', 1]),
      ['900', 'upsert', 1],
    ]);
    const gone = await read(wanted, 1);
    expect(gone).toHaveLength(10);
    expect(gone[0]).toMatchObject({ op: 'remove', found: 0, known: { targetKey: gone[0]!.key, vendorId: `v${gone[0]!.key}` }, shared: false });
    // Planned again under the same name: the earlier plan is replaced, nothing is doubled.
    expect(await warehouse.plan(wanted)).toMatchObject({ planned: 16 });
    expect((await read(wanted, 0)).length + (await read(wanted, 1)).length).toBe(16);
  });

  test('a removed row is forgotten once the vendor took the removal, and is new when it comes back', async () => {
    const of = await people(3);
    await run(of);
    await db.sql(`delete from ${of.name} where id = 2`);
    expect((await run(of)).closed).toMatchObject({ planned: 1, outcomes: { accepted: 1 } });
    expect((await run(of)).counts).toMatchObject({ known: 2, removed: 0, unchanged: 2 });
    await db.sql(`insert into ${of.name} values (2, 'p2@example.com', 3)`);
    expect((await run(of)).counts).toMatchObject({ added: 1 });
  });

  test('removals are counted but not planned when nothing is to happen then', async () => {
    const of = await people(3);
    await run(of);
    await db.sql(`delete from ${of.name} where id = 2`);
    const { counts } = await run(of, { removals: false });
    expect(counts).toMatchObject({ removed: 1, planned: 0 });
    await db.sql(`insert into ${of.name} values (2, 'p2@example.com', 3)`);
    expect((await run(of)).counts).toMatchObject({ unchanged: 3, planned: 0 });
  });

  test('mapVersion and a full resync send every row again', async () => {
    const of = await people(10);
    await run(of);
    expect((await run(of, { mapVersion: 2 })).counts).toMatchObject({ changed: 10, resent: 0 });
    expect((await run(of, { mapVersion: 2 })).counts).toMatchObject({ unchanged: 10, planned: 0 });
    expect((await run(of, { mapVersion: 2, full: true })).counts).toMatchObject({ changed: 0, resent: 10, unchanged: 0, planned: 10 });
  });

  test('what is remembered is what was sent, not what was planned: a row that changes meanwhile is sent as it is, once', async () => {
    const of = await people(3);
    const wanted = request(of);
    await warehouse.plan(wanted);
    await db.sql(`update ${of.name} set email = 'later@example.com' where id = 2`);
    await db.sql(`delete from ${of.name} where id = 3`);
    await warehouse.lease({ runId: wanted.runId, chunk: 0 }, 'me', 10_000);
    const rows = await read(wanted, 0);
    expect(rows.map(({ found, values }) => [found, values?.['email'] ?? null])).toEqual([
      [1, 'p1@example.com'],
      [1, 'later@example.com'],
      [0, null],
    ]);
    await warehouse.commit(
      { runId: wanted.runId, chunk: 0 },
      'me',
      rows.map((row) => (row.found === 0 ? { n: row.n, outcome: 'superseded', attempts: 0 } : landed(row))),
    );
    await warehouse.finish({ runId: wanted.runId, chunk: 0, syncId: of.syncId });
    expect(await warehouse.close({ syncId: of.syncId, runId: wanted.runId, state: 'done', open: 'cancelled', approvals: [] })).toMatchObject({
      planned: 3,
      outcomes: { accepted: 2, superseded: 1 },
    });
    expect((await run(of)).counts).toMatchObject({ unchanged: 2, planned: 0 });
  });

  test('a refused row rests until it or the mapping changes, or somebody asks', async () => {
    const of = await people(5);
    const refuseThree = (row: OpenRow): RowEnd =>
      row.key === '3'
        ? { n: row.n, outcome: 'rejected', code: 'INVALID_EMAIL', cause: 'no\0 good \ud800', attempts: 1, fingerprint: row.fingerprint }
        : landed(row);
    await run(of, {}, refuseThree);
    const [line] = await db.sql(`select key, code, cause, times, first_seen = last_seen as once from ${db.schema}.rejected where sync_id = '${of.syncId}'`);
    expect(line).toMatchObject({ key: 3, code: 'INVALID_EMAIL', cause: 'no\uFFFD good \uFFFD', times: 1, once: true });
    expect((await run(of, {}, refuseThree)).counts).toMatchObject({ read: 5, unchanged: 4, resting: 1, planned: 0 });
    expect((await run(of, { retryRejected: true }, refuseThree)).counts).toMatchObject({ added: 1, resting: 0 });
    expect((await db.sql(`select times, first_seen < last_seen as later from ${db.schema}.rejected where sync_id = '${of.syncId}'`))[0]).toMatchObject({
      times: 2,
      later: true,
    });
    await db.sql(`update ${of.name} set email = 'good@example.com' where id = 3`);
    expect((await run(of)).counts).toMatchObject({ added: 1, planned: 1 });
    expect(await db.sql(`select 1 as one from ${db.schema}.rejected where sync_id = '${of.syncId}'`)).toEqual([]);
  });

  test('members: who agreed and asked nowhere to be left out; removals first, a changed one both ways; a refused removal never rests', async () => {
    const of = await people(0, 'id integer primary key, email text, score numeric(10,2), agreed boolean');
    await db.sql(`insert into ${of.name} select i, 'p' || i, 1, i <> 2 from generate_series(1, 6) as t(i)`);
    await warehouse.open();
    await db.sql(`insert into ${db.schema}.suppression (sync_id, key) values ('${of.syncId}', '3'), ('another', '4'), ('*', '99')`);
    expect(await warehouse.suppressions()).toEqual([of.syncId, 'another'].sort().map((syncId) => ({ syncId, rows: 1 })));
    const source = { ...of.source, consent: 'agreed' };
    const membership = { membership: true };
    expect((await run({ ...of, source }, membership)).counts).toMatchObject({ read: 4, added: 4, planned: 4, firstChunks: 0 });

    await db.sql(`update ${of.name} set agreed = null where id = 1`);
    await db.sql(`update ${of.name} set email = 'new' where id in (4, 6)`);
    const wanted = request({ ...of, source }, membership);
    expect(await warehouse.plan(wanted)).toMatchObject({ changed: 2, removed: 1, planned: 5, chunks: 2, firstChunks: 1 });
    const shown = async (chunk: number) =>
      (await warehouse.read({ ...wanted, chunk, after: -1, limit: 100 })).map(({ key, op, change, found }) => [key, op, change, found]);
    expect(await shown(0)).toEqual([
      ['4', 'remove', 'changed', 1],
      ['6', 'remove', 'changed', 1],
      ['1', 'remove', 'removed', 0],
    ]);
    expect(await shown(1)).toEqual([
      ['4', 'upsert', 'changed', 1],
      ['6', 'upsert', 'changed', 1],
    ]);
    await db.sql(`update ${of.name} set agreed = false where id = 6`);
    expect((await shown(1)).map(([key, , , found]) => [key, found])).toEqual([
      ['4', 1],
      ['6', 0],
    ]);
    const refuse = (row: OpenRow): RowEnd => (row.op === 'remove' ? { n: row.n, outcome: 'rejected', code: 'NO', cause: '', attempts: 1 } : landed(row));
    expect((await run({ ...of, source }, membership, refuse)).counts).toMatchObject({ removed: 2 });
    expect((await run({ ...of, source }, membership, refuse)).counts).toMatchObject({ removed: 2, resting: 0 });
    await run({ ...of, source }, membership);
    expect((await run({ ...of, source }, membership)).counts).toMatchObject({ read: 2, known: 2, planned: 0 });
    await expect(warehouse.plan(request({ ...of, source: { ...of.source, consent: 'email' } }, membership))).rejects.toMatchObject({ code: 'COLUMN_TYPE' });
  });

  test.each(['failed', 'cancelled', 'expired'] as const)(
    'a removal that %s is owed, tried at every run, and its proof tells since when it was due',
    async (outcome) => {
      const of = await people(3);
      await run(of);
      await db.sql(`delete from ${of.name} where id = 2`);
      const not = (row: OpenRow): RowEnd => ({ n: row.n, outcome, attempts: row.attempts });
      const first = await run(of, {}, not);
      const owes = [{ op: 'remove', outcome, code: outcome.toUpperCase(), rows: 1, cause: 'the run ended before this was removed' }];
      expect(first.closed.owed).toMatchObject(owes);
      const second = await run(of, {}, not);
      expect(second.counts).toMatchObject({ removed: 1, resting: 0, planned: 1 });
      expect(second.closed.owed).toMatchObject(owes);
      expect((await run(of)).closed.owed).toEqual([]);
      const [proof] = await db.sql(
        `select cast(d.asked_at = r.started_at as integer) as since from ${db.schema}.removals d join ${db.schema}.runs r on r.run_id = '${first.wanted.runId}' where d.sync_id = '${of.syncId}'`,
      );
      expect(proof).toEqual({ since: 1 });
    },
  );

  test('a run that ends before its removals owes them; not once the row is back, or removals are ignored', async () => {
    const of = await people(10);
    await run(of);
    await db.sql(`delete from ${of.name} where id <= 4`);
    const refused = async (change: Partial<PlanRequest> = {}) => {
      const wanted = request(of, change);
      await warehouse.plan(wanted);
      return (await warehouse.close({ syncId: of.syncId, runId: wanted.runId, state: 'refused', open: 'cancelled', approvals: [] })).owed;
    };
    expect(await refused()).toMatchObject([{ op: 'remove', code: 'CANCELLED', rows: 4 }]);
    await db.sql(`insert into ${of.name} select i, 'p' || i || '@example.com', i * 1.5 from generate_series(1, 2) as t(i)`);
    expect(await refused()).toMatchObject([{ op: 'remove', rows: 2 }]);
    expect(await refused({ removals: false })).toEqual([]);
  });

  test('a row that is corrected back to what landed is no longer owed; one that was refused as it is, is', async () => {
    const of = await people(3);
    await run(of);
    const refuse = (row: OpenRow): RowEnd => ({ n: row.n, outcome: 'rejected', code: 'BAD', cause: 'no', attempts: 1, fingerprint: row.fingerprint });
    await db.sql(`update ${of.name} set score = score + 1 where id = 2`);
    expect((await run(of, {}, refuse)).closed.owed).toMatchObject([{ op: 'upsert', rows: 1 }]);
    await db.sql(`update ${of.name} set score = score - 1 where id = 2`);
    const after = await run(of);
    expect(after.counts).toMatchObject({ unchanged: 3, planned: 0 });
    expect(after.closed.owed).toEqual([]);
    // Sent again unchanged, and refused now.
    expect((await run(of, { full: true }, refuse)).closed.owed).toMatchObject([{ rows: 3 }]);
    expect((await run(of)).closed.owed).toMatchObject([{ rows: 3 }]);
  });

  test('keys that are null, empty, too long or not unique are counted, listed and never sent, nor their rows taken for removed', async () => {
    const of = await people(0, 'id text, email text, score numeric(10,2)');
    await db.sql(`insert into ${of.name} values ('a', 'a', 1), ('b', 'b', 1), ('c', 'c', 1)`);
    await run(of);
    await db.sql(`insert into ${of.name} values ('b', 'other', 2), (null, 'x', 1), ('', 'y', 1), (null, 'z', 1), ('${'k'.repeat(1_001)}', 'long', 1)`);
    const { counts } = await run(of);
    expect(counts).toMatchObject({ read: 8, known: 3, badKeys: { null: 3, duplicate: 2, long: 1 }, removed: 0, unchanged: 2, planned: 0 });
    const lines = await db.sql(`select code, cause from ${db.schema}.rejected where sync_id = '${of.syncId}' order by code`);
    expect(lines).toEqual([
      { code: 'DUPLICATE_KEY', cause: '2 rows have this key; none of them was sent' },
      { code: 'KEY_TOO_LONG', cause: 'the key is longer than 1000 characters' },
      { code: 'NULL_KEY', cause: '3 rows have no key' },
    ]);
    await db.sql(`delete from ${of.name} where id is null or id = '' or length(id) > 100 or email = 'other'`);
    expect((await run(of)).counts).toMatchObject({ unchanged: 3, badKeys: { null: 0, duplicate: 0, long: 0 } });
    expect(await db.sql(`select 1 as one from ${db.schema}.rejected where sync_id = '${of.syncId}'`)).toEqual([]);
  });

  test('keys of several columns, views and queries', async () => {
    const of = await people(4);
    await db.sql(`create view v_${of.name} as select id % 2 as tenant, email, id, score from ${of.name}`);
    const view = { syncId: `${of.syncId}-view`, source: { table: `v_${of.name}`, key: ['tenant', 'email'], columns: ['id'] } };
    expect((await run(view)).closed).toMatchObject({ planned: 4, outcomes: { accepted: 4 } });
    await db.sql(`update ${of.name} set id = 12 where id = 2`);
    const again = await run(view, {}, (row) => (expect(row).toMatchObject({ found: 1, values: { id: 12 } }), landed(row)));
    expect(again.counts).toMatchObject({ changed: 1, unchanged: 3 });
    const query = {
      syncId: `${of.syncId}-query`,
      source: { query: `select id, email from ${of.name} where id < 12 -- those\n;`, key: ['id'], columns: ['email'] },
    };
    expect((await run(query)).counts).toMatchObject({ read: 3, added: 3 });
  });

  test('a second sender of a chunk waits; one whose lease is gone writes nothing', async () => {
    const of = await people(2);
    const wanted = request(of);
    await warehouse.plan(wanted);
    const chunk = { runId: wanted.runId, chunk: 0 };
    expect(await warehouse.lease(chunk, 'one', 300)).toEqual({ held: true });
    const refused = await warehouse.lease(chunk, 'two', 10_000);
    expect(refused.held).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 320));
    expect(await warehouse.lease(chunk, 'two', 10_000)).toEqual({ held: true });
    const rows = await read(wanted, 0);
    expect(await warehouse.commit(chunk, 'one', rows.map(landed))).toBe(false);
    expect(await read(wanted, 0)).toHaveLength(2);
    expect(await warehouse.commit(chunk, 'two', [landed(rows[0]!), { n: rows[1]!.n, outcome: null, attempts: 1, code: 'UNAVAILABLE' }])).toBe(true);
    expect(await read(wanted, 0)).toMatchObject([{ attempts: 1 }]);
    // Something was sent: the plan stays what it was.
    await db.sql(`delete from ${of.name}`);
    expect(await warehouse.plan(wanted)).toMatchObject({ planned: 2, read: 2 });
    await warehouse.release(chunk, 'two');
    expect(await warehouse.lease(chunk, 'three', 10)).toEqual({ held: true });
  });

  test('a run that was lost is closed by the next plan: what had landed is known, the rest is cancelled', async () => {
    const of = await people(10);
    const wanted = request(of);
    await warehouse.plan(wanted);
    const chunk = { runId: wanted.runId, chunk: 0 };
    await warehouse.lease(chunk, 'me', 10_000);
    await warehouse.commit(chunk, 'me', (await read(wanted, 0)).slice(0, 4).map(landed));
    expect((await run(of)).counts).toMatchObject({ read: 10, known: 4, unchanged: 4, added: 6 });
    const [lost] = await db.sql(`select state, planned, accepted, cancelled, equation_holds from ${db.schema}.runs where run_id = '${wanted.runId}'`);
    expect(lost).toEqual({ state: 'lost', planned: 10, accepted: 4, cancelled: 6, equation_holds: true });
  });

  test('two rows that write one record: removing the first does not remove the record', async () => {
    const of = await people(3);
    await run(of, {}, (row) => ({ ...landed(row), targetKey: row.key === '3' ? 'other' : 'same' }));
    await db.sql(`delete from ${of.name} where id in (1, 3)`);
    const wanted = request(of);
    await warehouse.plan(wanted);
    expect((await read(wanted, 0)).map(({ key, shared }) => [key, shared]).sort()).toEqual([
      ['1', true],
      ['3', false],
    ]);
    await db.sql(`delete from ${of.name}`);
    await warehouse.plan(wanted);
    expect((await read(wanted, 0)).map(({ shared }) => shared)).toEqual([false, false, false]);
  });

  test('what is wrong with a source is said by name', async () => {
    const of = await people(1);
    const plan = (source: TableSource) => warehouse.plan(request({ syncId: of.syncId, source }));
    await expect(plan({ ...of.source, columns: ['nope'] })).rejects.toMatchObject({
      code: 'COLUMN_UNKNOWN',
      message: expect.stringMatching(/no column "nope"; it has "id", "email", "score"/),
    });
    await expect(plan({ ...of.source, table: 'nowhere' })).rejects.toMatchObject({ code: 'SOURCE_UNKNOWN' });
    await expect(plan({ query: 'selec 1', key: ['id'], columns: ['id'] })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    await expect(plan({ query: `with x as (delete from ${of.name} returning id) select id from x`, key: ['id'], columns: ['id'] })).rejects.toThrow();
    await expect(plan({ query: `select 1 as id) s; delete from ${of.name}; select * from (select 1 as id`, key: ['id'], columns: ['id'] })).rejects.toThrow();
    expect(await db.sql(`select id from ${of.name}`)).toEqual([{ id: 1 }]);
  });

  test('names of tables and columns stay readable where values are hidden', async () => {
    const of = await people(1);
    const said = async (source: TableSource): Promise<string> => {
      const error = await warehouse.plan(request({ syncId: of.syncId, source })).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(WarehouseError);
      const { message, names } = error as WarehouseError;
      return maskText(message, { fields: names });
    };
    const query = (text: string) => said({ query: text, key: ['id'], columns: ['id'] });
    expect(await said({ ...of.source, table: 'nowhere_in_2026_or_elsewhere' })).toContain('nowhere_in_2026_or_elsewhere');
    expect(await said({ ...of.source, columns: ['customer_reference_no_2'] })).toContain('no column "customer_reference_no_2"; it has "id", "email", "score"');
    expect(await said({ ...of.source, consent: 'score' })).toContain('read from "score"');
    expect(await query(`select id, emial from ${of.name}`)).toContain('emial');
    expect(await query(`select id frm ${of.name}`)).toContain(of.name);
    // What was read is anybody's.
    expect(await query(`select cast(email as integer) as id from ${of.name}`)).not.toMatch(/p1|example/);
    expect(await query(`select cast('Ada' || email as integer) as id from ${of.name}`)).not.toMatch(/Ada|example/);
  });

  test('a file that is not there is named', async () => {
    const of = await people(0);
    const missing = warehouse.plan(
      request({ syncId: of.syncId, source: { query: `select 1 as id from read_csv('/no/exports-of-2026/*.csv')`, key: ['id'], columns: ['id'] } }),
    );
    const error = await missing.then(
      () => null,
      (reason: unknown) => reason as WarehouseError,
    );
    if (engine === 'duckdb') expect(maskText(error!.message, { fields: error!.names })).toContain('"/no/exports-of-2026/*.csv"');
    else expect(error).toMatchObject({ code: 'QUERY_INVALID' });
  });

  test('values come the same from both engines', async () => {
    const name = `values_${++table}`;
    await db.sql(`create table ${name} (id bigint, flag boolean, small smallint, whole integer, large bigint, money decimal(20,4), f double precision,
      words text, day date, moment timestamp, instant timestamptz, doc json, tags text[], u uuid)`);
    await db.sql(`insert into ${name} values (1, true, 7, -3, 9007199254740993, 12.5, 0.1, 'Zoë 👩‍🚀 "x" \\ line
      end', '2026-02-28', '2026-03-29 02:30:00.000001', '2026-03-29 02:30:00.5+02', '{"a": [1, "ü"]}', array['x', 'y z'], '00000000-0000-4000-8000-000000000001')`);
    await db.sql(`insert into ${name} (id) values (9007199254740995)`);
    const columns = ['id', 'flag', 'small', 'whole', 'large', 'money', 'f', 'words', 'day', 'moment', 'instant', 'doc', 'tags', 'u'];
    const wanted = request({ syncId: name, source: { table: name, key: ['id'], columns } });
    await warehouse.plan(wanted);
    const [full, empty] = await read(wanted, 0);
    expect(full!.values).toEqual({
      id: 1,
      flag: true,
      small: 7,
      whole: -3,
      large: '9007199254740993',
      money: '12.5000',
      f: 0.1,
      words: 'Zoë 👩‍🚀 "x" \\ line\n      end',
      day: '2026-02-28',
      moment: '2026-03-29T02:30:00.000001',
      instant: '2026-03-29T00:30:00.5Z',
      doc: { a: [1, 'ü'] },
      tags: ['x', 'y z'],
      u: '00000000-0000-4000-8000-000000000001',
    });
    expect(empty!.values).toEqual({ ...Object.fromEntries(columns.map((column) => [column, null])), id: '9007199254740995' });
  });

  test('causes are told one by one, the most frequent first; of what is owed removals come first, and no row is left out of the sum', async () => {
    const of = await people(40);
    const faulty = (row: OpenRow): RowEnd => {
      const id = Number(row.key);
      if (row.op === 'remove') return { n: row.n, outcome: 'rejected', code: 'GONE', cause: 'the vendor keeps it', attempts: 1 };
      return id > 26 ? landed(row) : { n: row.n, outcome: 'invalid', code: 'TARGET_VIOLATION', cause: id <= 5 ? 'fault a' : `fault ${id}`, attempts: 1 };
    };
    const { closed } = await run(of, {}, faulty);
    expect(closed.causes).toHaveLength(5);
    expect(closed.causes[0]).toEqual({ outcome: 'invalid', code: 'TARGET_VIOLATION', cause: 'fault a', rows: 5 });
    await db.sql(`delete from ${of.name} where id = 30`);
    const { owed } = (await run(of, {}, faulty)).closed;
    expect(owed.map(({ op, code, rows }) => [op, code, rows]).slice(0, 3)).toEqual([
      ['remove', 'GONE', 1],
      ['upsert', 'TARGET_VIOLATION', 5],
      ['upsert', 'TARGET_VIOLATION', 1],
    ]);
    expect(owed).toHaveLength(11);
    expect(owed.at(-1)).toMatchObject({ code: 'OTHER', cause: '13 other reasons: they stand in syncline.rejected', rows: 13, sinceMs: expect.any(Number) });
    expect(owed.reduce((sum, { rows }) => sum + rows, 0)).toBe(27);
  });

  test('a hundred columns, and a value of a megabyte; fields can’t run into each other', async () => {
    const name = `wide_${++table}`;
    const columns = Array.from({ length: 100 }, (_, index) => `c${index}`);
    await db.sql(`create table ${name} (id integer, ${columns.map((column) => `${column} text`).join(', ')})`);
    await db.sql(
      `insert into ${name} (id, c0, c1, c99) values (1, 'a;1:b', null, repeat('x', 1048576)), (2, 'a', '1:b', null), (3, null, '', null), (4, '', null, null)`,
    );
    const source = { table: name, key: ['id'], columns: ['id', ...columns] };
    const wanted = request({ syncId: name, source });
    await warehouse.plan(wanted);
    const rows = await read(wanted, 0);
    expect((rows[0]!.values!['c99'] as string).length).toBe(1_048_576);
    expect(new Set(rows.map(({ fingerprint }) => fingerprint)).size).toBe(4);
    // The fingerprint of a row is the same whoever asks.
    const [planned] = await db.sql(`select cast(fingerprint as text) as f from ${db.schema}.run_rows where run_id = '${wanted.runId}' and key = '1'`);
    expect(planned).toEqual({ f: rows[0]!.fingerprint });
  });

  test('runs of two syncs at once do not meet', async () => {
    const [one, two] = [await people(120), await people(130)];
    const both = await Promise.all([run(one), run(two)]);
    expect(both.map(({ closed }) => closed.outcomes)).toEqual([{ accepted: 120 }, { accepted: 130 }]);
    const bare: People = one;
    expect((await run(bare)).counts).toMatchObject({ unchanged: 120 });
  });
});
