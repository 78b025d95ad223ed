import { setTimeout as delay } from 'node:timers/promises';
import { startAudienceStage, userListKeys, type AudienceStage } from '../support/audience-stage';
import { newsletter } from '../support/audience-syncs';

jest.setTimeout(90_000);

let stage: AudienceStage;
beforeAll(async () => {
  stage = await startAudienceStage('postgres');
});
afterAll(() => stage?.stop());

const sql = (text: string) => stage.warehouse.sql(text);
/** The list at Google is just who is in the source and agreed. */
const exact = async (): Promise<void> => {
  const wanted = await sql(`select email, phone from members m where agreed and not exists
    (select 1 from ${stage.warehouse.schema}.suppression s where s.key = cast(m.id as text))`);
  expect(await stage.at('google-data-manager', 'userlist:777')).toEqual(userListKeys(wanted));
};

test('who agreed is in, and nobody else; the counts agree, so each member is verified', async () => {
  await stage.members(1_000);
  await sql('update members set agreed = false where id % 10 = 0');
  await sql('update members set agreed = null where id = 1');
  const { counts, equation } = await stage.run(stage.syncs.google);
  expect(counts).toMatchObject({ read: 899, added: 899 });
  expect(equation).toMatchObject({ planned: 899, outcomes: { verified: 899 }, holds: true });
  await exact();
});

test('who withdraws leaves before anybody comes, whichever way they said so; each removal has its proof', async () => {
  await sql('update members set agreed = false where id between 2 and 9');
  await sql(`insert into ${stage.warehouse.schema}.suppression (key, reason) values ('11', 'asked by letter')`);
  await sql(`insert into ${stage.warehouse.schema}.suppression (sync_id, key) values ('google-lists', '13')`); // misspelt
  await sql('delete from members where id = 12');
  await sql(`insert into members select i, 'm' || i || '@example.com', null, true from generate_series(2001, 2005) as t(i)`);
  const { counts, equation } = await stage.run(stage.syncs.google);
  expect(counts.suppressNobody).toEqual({ rows: 1, syncs: ['google-lists'] });
  await sql(`delete from ${stage.warehouse.schema}.suppression where sync_id = 'google-lists'`);
  expect(equation).toMatchObject({ planned: 15, outcomes: { verified: 15 }, holds: true });
  await exact();
  const calls = Object.keys((await stage.sims['google-data-manager']!.stats()).byPath);
  expect(calls.join()).toMatch(/ingest.*remove/); // both were called at all
  const chunks = await sql(`select r.op, min(r.ended_at) as first, max(r.ended_at) as last from ${stage.warehouse.schema}.run_rows r
    join ${stage.warehouse.schema}.runs u on u.run_id = r.run_id where u.planned = 15 group by r.op order by r.op`);
  expect(Date.parse(chunks.find(({ op }) => op === 'remove')!.last)).toBeLessThanOrEqual(Date.parse(chunks.find(({ op }) => op === 'upsert')!.first));
  const proofs = await sql(
    `select key, outcome, receipt, asked_at <= removed_at as in_order from ${stage.warehouse.schema}.removals order by cast(key as integer)`,
  );
  expect(proofs.map(({ key }) => String(key))).toEqual(['2', '3', '4', '5', '6', '7', '8', '9', '11', '12']);
  for (const proof of proofs) expect(proof).toMatchObject({ outcome: 'verified', in_order: true, receipt: expect.stringMatching(/"id":".+"/) });
});

test('a member whose identifiers change leaves as what they were; one of whom something else changed stays', async () => {
  await sql(`update members set email = 'new@example.com' where id = 21`);
  await sql(`update members set email = 'M22@Example.com' where id = 22`);
  const { equation } = await stage.run(stage.syncs.google);
  // Of the first: gone, and come. Of the second: nothing to remove; that they come again changes nothing.
  expect(equation).toMatchObject({ planned: 4, outcomes: { verified: 3, superseded: 1 }, holds: true });
  await exact();
  expect((await stage.run(stage.syncs.google)).counts).toMatchObject({ planned: 0 });
});

test('a removal that is refused keeps the new identity out: nobody is forgotten under the old one', async () => {
  const google = stage.sims['google-data-manager']!;
  await sql(`update members set email = 'moved@example.com' where id = 41`);
  await google.fault({ kind: 'status', status: 400, times: 'forever', match: { path: 'audienceMembers:remove' } });
  const { equation } = await stage.run(stage.syncs.google);
  expect(equation).toMatchObject({ planned: 2, outcomes: { rejected: 1, superseded: 1 }, holds: true });
  expect(equation.owed).toEqual([
    { op: 'remove', outcome: 'rejected', code: expect.any(String), cause: expect.any(String), rows: 1, sinceMs: expect.any(Number) },
  ]);
  // Owed until it is done, whatever else comes meanwhile.
  await sql('update members set agreed = false where id = 42');
  await google.clearFaults();
  const after = (await stage.run(stage.syncs.google)).equation;
  expect(after).toMatchObject({ planned: 3, outcomes: { verified: 3 }, holds: true });
  expect(after.owed).toBeUndefined();
  await exact();
});

test('handed over, cancelled, then withdrawn: who may have landed is removed', async () => {
  const google = stage.sims['google-data-manager']!;
  await sql(`insert into members values (4001, 'late@example.com', null, true)`);
  await google.configure({ jobMs: 2_500 });
  const handle = await stage.start(stage.syncs.google);
  await stage.until(handle, ({ held }) => held.some(({ cause }) => cause === 'job'));
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  const landed = userListKeys([{ email: 'late@example.com', phone: null }])[0]!;
  while (!(await stage.at('google-data-manager', 'userlist:777')).includes(landed)) await delay(200);
  await google.configure({ jobMs: 100 });
  await sql(`update members set agreed = false where id = 4001`);
  expect((await stage.run(stage.syncs.google)).equation).toMatchObject({ planned: 1, outcomes: { verified: 1 }, holds: true });
  await exact();
});

test('the access token expires while a job runs: renewed once, nothing handed over twice, each member is verified', async () => {
  const google = stage.sims['google-data-manager']!;
  const calls = async (): Promise<number[]> => {
    const { byPath } = await google.stats();
    return ['/token', '/v1/audienceMembers::ingest'].map((path) => byPath[`POST ${path}`] as number);
  };
  const before = await calls();
  await sql(`insert into members select i, 'm' || i || '@example.com', null, true from generate_series(5001, 5010) as t(i)`);
  const run = await stage.start(stage.syncs.google);
  await stage.until(run, ({ held }) => held.some(({ cause }) => cause === 'job'));
  await google.configure({ tokens: ['ya29.renewed'] });
  const { equation } = (await run.result()) as Awaited<ReturnType<AudienceStage['run']>>;
  expect(equation).toMatchObject({ planned: 10, outcomes: { verified: 10 }, holds: true });
  expect(await calls()).toEqual(before.map((count) => count + 1));
  await exact();
});

test('withdrawn between the plan and the send: not sent', async () => {
  const handle = await stage.start(stage.syncs.google, { full: true });
  const view = await stage.until(handle, ({ state }) => state === 'waiting');
  expect(view.waitingFor.map(({ guard }) => guard)).toEqual(['full-resync']);
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();

  await sql(`insert into members select i, 'm' || i || '@example.com', null, true from generate_series(3001, 3010) as t(i)`);
  // The account may call again in a while: planned, and nothing sent yet.
  await stage.sims['google-data-manager']!.fault({ kind: 'rateLimit', retryAfter: '2' });
  const run = await stage.start(stage.syncs.google);
  await stage.until(run, ({ state }) => state === 'running');
  await sql('update members set agreed = false where id = 3010');
  const { equation } = (await run.result()) as Awaited<ReturnType<AudienceStage['run']>>;
  expect(equation).toMatchObject({ planned: 10, outcomes: { verified: 9, superseded: 1 }, holds: true });
  await stage.run(stage.syncs.google);
  await exact();
});

test('identifiers that are no identifiers, or hashed already, are refused by field and no other member with them', async () => {
  await sql(`update members set email = 'nobody' where id = 31`);
  await sql(`update members set email = '${'ab'.repeat(32)}' where id = 32`);
  const { equation } = await stage.run(stage.syncs.google);
  // What they were is gone from the list, what they are can't come.
  expect(equation).toMatchObject({ planned: 4, outcomes: { verified: 2, invalid: 2 }, holds: true });
  // Two faults under one code are two causes.
  expect(equation.owed).toMatchObject([1, 1].map((rows) => ({ op: 'upsert', outcome: 'invalid', code: 'TARGET_VIOLATION', rows })));
  const rejected = await sql(`select key, cause from ${stage.warehouse.schema}.rejected where outcome = 'invalid' order by key`);
  expect(rejected.map(({ cause }) => cause)).toEqual([
    expect.stringMatching(/emails\.0: expected an e-mail address/),
    expect.stringMatching(/emails\.0: expected it as written.*hashed already/),
  ]);
  expect(JSON.stringify(rejected)).not.toMatch(/nobody|abab/);
  await sql(`delete from members where id in (31, 32)`);
  await exact();
});

test('a list whose operations name members otherwise: Klaviyo, by e-mail address', async () => {
  await stage.members(120);
  await stage.sims['klaviyo']!.configure({ jobMs: 10 });
  const profiles = Array.from({ length: 119 }, (_, n) => ({ type: 'profile', attributes: { email: `m${n + 1}@example.com` } }));
  await fetch(`${stage.sims['klaviyo']!.url}/api/profile-bulk-import-jobs`, {
    method: 'POST',
    headers: { authorization: 'Klaviyo-API-Key pk_sandbox', revision: '2026-07-15', 'content-type': 'application/json' },
    body: JSON.stringify({ data: { type: 'profile-bulk-import-job', attributes: { profiles: { data: profiles } } } }),
  });
  await delay(500);
  const { equation } = await stage.run(stage.syncs.list);
  // Who asked to be left out everywhere is in no list.
  expect(equation).toMatchObject({ planned: 119, outcomes: { accepted: 118, rejected: 1 }, holds: true });
  await sql('update members set agreed = false where id <= 20');
  expect((await stage.run(stage.syncs.list)).equation).toMatchObject({ planned: 19, outcomes: { accepted: 19 }, holds: true });
  expect(await stage.at('klaviyo', `list:${newsletter}`)).toHaveLength(99);
});

test('nothing that names a person is in history, ids or logs, of all of these runs', async () => {
  const { client, printed } = stage.stack;
  const named = /m\d+@example|(new|moved|late)@example|\+?49151\d{8}/i;
  const secret = /sandbox-(?:client|secret|refresh)|ya29/;
  let runs = 0;
  for await (const { workflowId, runId } of client.workflow.list()) {
    const history = JSON.stringify(await client.workflow.getHandle(workflowId, runId).fetchHistory());
    const decoded = history.replaceAll(/"data":"([A-Za-z0-9+/=]+)"/g, (_all, data: string) => Buffer.from(data, 'base64').toString());
    expect(`${workflowId} ${decoded}`).not.toMatch(named);
    expect(decoded).not.toMatch(secret);
    runs++;
  }
  expect(runs).toBeGreaterThan(10);
  expect(printed.length).toBeGreaterThan(runs);
  expect(printed.filter((line) => named.test(line) || secret.test(line))).toEqual([]);
});
