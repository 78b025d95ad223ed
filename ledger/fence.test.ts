import type { ClaimRequest, ClaimResult, Confirmation } from '.';
import { createTestLedger, outcomeOf, type TestLedger } from '../test/support/ledger';

let test_: TestLedger;
beforeAll(async () => (test_ = await createTestLedger()));
afterAll(() => test_.drop());

let records = 0;
let key = '';
beforeEach(() => (key = `hmac-${++records}`));

/** Version `at` of this test's record, by the run `run-<at>`. */
function ask(at: number, more: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    syncId: 'orders',
    vendor: 'hubspot',
    account: 'main',
    object: 'contact',
    keyHmac: key,
    version: { at, arrival: at * 10 },
    mapVersion: 1,
    fields: ['email', 'name'],
    workflowId: `run-${at}`,
    ...more,
  };
}

const claimMs = 60_000;
const claim = async (request: ClaimRequest): Promise<ClaimResult> => (await test_.ledger.fence.claim([request], { claimMs }))[0]!;
const confirm = (request: ClaimRequest, number: number, more: Partial<Confirmation> = {}) =>
  test_.ledger.fence.confirm([{ ...request, claim: number, landed: true, ...more }], []);

/** Claims and confirms. */
async function land(request: ClaimRequest, more: Partial<Confirmation> = {}): Promise<ClaimResult> {
  const result = await claim(request);
  if (result.kind === 'claimed') await confirm(request, result.claim, more);
  return result;
}

/** Time passes for this record's open calls. */
const expire = (byMs = claimMs) =>
  test_.pool.query(
    `update syncline.fence set open_calls = (select jsonb_agg(c || jsonb_build_object('untilMs', (c ->> 'untilMs')::float8 - $2) order by p)
       from jsonb_array_elements(open_calls) with ordinality as t(c, p)) where key_hmac = $1 and open_calls <> '[]'`,
    [key, byMs],
  );

const stored = async () => (await test_.pool.query('select * from syncline.fence where key_hmac = $1', [key])).rows[0];
const claimed = (more: object = {}) => ({ kind: 'claimed', ambiguous: false, dropFields: [], ...more });

test('a first version is claimed, lands, and is not sent again', async () => {
  expect(await land(ask(1), { vendorId: '77' })).toEqual(claimed({ claim: 1 }));
  expect(await claim(ask(1))).toEqual({ kind: 'landed', vendorId: '77' });
  expect(await stored()).toMatchObject({ version_at: '1', version_arrival: '10', map_version: 1, vendor_id: '77', open_calls: [], older_fields: {} });
});

test('an older version is superseded once a newer one landed, not before', async () => {
  expect(await claim(ask(2))).toEqual(claimed({ claim: 1 }));
  expect(await claim(ask(1))).toMatchObject({ kind: 'wait' });
  await confirm(ask(2), 1);
  expect(await claim(ask(1))).toEqual({ kind: 'superseded' });
});

test('fields that a newer version did not write are sent, and keep their own order', async () => {
  await land(ask(3, { fields: ['email'] }));
  expect(await claim(ask(2))).toEqual(claimed({ claim: 2, dropFields: ['email'] }));
  await confirm(ask(2, { fields: ['name'] }), 2);
  expect(await stored()).toMatchObject({ version_at: '3', older_fields: { name: [2, 20, 1] } });
  expect(await claim(ask(1, { fields: ['name'] }))).toEqual({ kind: 'superseded' });
  expect(await claim(ask(2))).toMatchObject({ kind: 'landed' });
  expect(await land(ask(4, { fields: ['phone'] }))).toEqual(claimed({ claim: 3 }));
  expect(await stored()).toMatchObject({ fields: ['phone'], older_fields: { name: [2, 20, 1], email: [3, 30, 1] } });
});

test('a whole record covers every field', async () => {
  await land(ask(3, { fields: [] }));
  expect(await claim(ask(2, { fields: ['anything'] }))).toEqual({ kind: 'superseded' });
  await land(ask(4, { fields: ['email'] }));
  expect(await stored()).toMatchObject({ fields: ['email'], older_fields: { '*': [3, 30, 1] } });
  expect(await claim(ask(2, { fields: ['anything'] }))).toEqual({ kind: 'superseded' });
  expect(await claim(ask(2, { fields: ['*'] }))).toEqual({ kind: 'superseded' });
});

test('a higher mapVersion sends the same version again, a lower one does not', async () => {
  await land(ask(1, { mapVersion: 2 }));
  expect(await claim(ask(1, { mapVersion: 1 }))).toEqual({ kind: 'superseded' });
  expect(await land(ask(1, { mapVersion: 3 }))).toMatchObject(claimed());
});

test('replay and repair send an equal version again', async () => {
  await land(ask(1));
  expect(await land(ask(1, { resendEqual: true }))).toEqual(claimed({ claim: 2 }));
});

test('the same run may send again at once, as ambiguous; others wait until the lost call can no longer arrive', async () => {
  expect(await claim(ask(1))).toEqual(claimed({ claim: 1 }));
  expect(await claim(ask(1))).toEqual(claimed({ claim: 2, ambiguous: true }));
  await confirm(ask(1), 2);
  expect(await claim(ask(2))).toMatchObject({ kind: 'wait' });
  await expire();
  expect(await land(ask(2))).toEqual(claimed({ claim: 3 }));
  expect(await stored()).toMatchObject({ open_calls: [], version_at: '2' });
});

test('a wait tells when to ask again, by the clock of the one who waits', async () => {
  await claim(ask(1));
  const before = Date.now();
  const result = await claim(ask(2));
  expect(result.kind === 'wait' && result.untilMs - before).toBeGreaterThan(900);
  expect(result.kind === 'wait' && result.untilMs - Date.now()).toBeLessThanOrEqual(1_000);
});

test('an expired claim is taken over by the same or a newer version as ambiguous; an older one waits', async () => {
  await claim(ask(2));
  await expire();
  expect(await claim(ask(1))).toMatchObject({ kind: 'wait' });
  expect(await claim(ask(2, { workflowId: 'bundle' }))).toEqual(claimed({ claim: 2, ambiguous: true }));
  await expire();
  expect(await claim(ask(3))).toEqual(claimed({ claim: 3, ambiguous: true }));
});

test('a refusal ends only its own call: what was open before stays open', async () => {
  await claim(ask(1));
  await expire();
  expect(await land(ask(2), { landed: false })).toEqual(claimed({ claim: 2, ambiguous: true }));
  expect(await stored()).toMatchObject({ fields: null, open_calls: [{ claim: 1, workflowId: 'run-1' }] });
  expect(await land(ask(1))).toEqual(claimed({ claim: 3, ambiguous: true }));
});

test('a late confirmation of a lost call does not end the call that is under way', async () => {
  await claim(ask(1));
  await claim(ask(1));
  await confirm(ask(1), 1);
  expect(await stored()).toMatchObject({ version_at: '1', open_calls: [{ claim: 2 }] });
  expect(await claim(ask(2))).toMatchObject({ kind: 'wait' });
});

test('a late confirmation of an older version leaves the newer one in place', async () => {
  await claim(ask(1, { fields: ['email', 'name'] }));
  await expire();
  await land(ask(2, { fields: ['email'] }), { vendorId: '9' });
  await confirm(ask(1), 1);
  expect(await stored()).toMatchObject({ version_at: '2', vendor_id: '9', open_calls: [], older_fields: { name: [1, 10, 1] } });
});

test('confirming twice changes nothing, and both records outcomes once', async () => {
  const request = ask(1);
  await claim(request);
  const confirmation = { ...request, claim: 1, landed: true, vendorId: '5' };
  const outcome = outcomeOf(`of-${key}`);
  await test_.ledger.fence.confirm([confirmation], [outcome]);
  const before = await stored();
  await test_.ledger.fence.recordFindings([{ ...request, result: 'drifted', workflowId: outcome.workflowId }]);
  await test_.ledger.fence.confirm([confirmation], [outcome]);
  expect(await stored()).toEqual({ ...before, revision: before.revision + 2, verification: 'drifted', verified_at: expect.any(Date) });
  expect(await test_.ledger.queries.runs({ id: outcome.eventId, limit: 10 })).toMatchObject([{ outcome: 'accepted', finding: 'drifted' }]);
});

test('confirmation and outcomes commit together or not at all', async () => {
  await claim(ask(1));
  const broken = { ...outcomeOf(`of-${key}`), attempts: 'many' as unknown as number };
  await expect(test_.ledger.fence.confirm([{ ...ask(1), claim: 1, landed: true }], [broken])).rejects.toThrow(/integer/);
  expect(await stored()).toMatchObject({ fields: null, open_calls: [{ claim: 1 }] });
});

test('missing or drifted reopens the landed version, and only that', async () => {
  await land(ask(1));
  await land(ask(2));
  await test_.ledger.fence.recordFindings([{ ...ask(1), result: 'missing' }]);
  expect(await claim(ask(2))).toMatchObject({ kind: 'landed' });
  await test_.ledger.fence.recordFindings([{ ...ask(2), result: 'missing' }]);
  expect(await claim(ask(1))).toEqual({ kind: 'superseded' });
  expect(await land(ask(2))).toMatchObject(claimed());
  expect(await claim(ask(2))).toMatchObject({ kind: 'landed' });
});

test('a confirmation mends a fence that lost the row', async () => {
  await confirm(ask(4), 7, { vendorId: '1' });
  expect(await stored()).toMatchObject({ version_at: '4', claims: 7, open_calls: [] });
  expect(await claim(ask(3))).toEqual({ kind: 'superseded' });
});

test('a batch answers in the order of its requests, and refuses to name a record twice', async () => {
  const requests = ['c', 'a', 'b'].map((name, index) => ask(index + 1, { keyHmac: `${key}-${name}` }));
  await land(ask(9, { keyHmac: `${key}-a` }));
  expect(await test_.ledger.fence.claim(requests, { claimMs })).toEqual([claimed({ claim: 1 }), { kind: 'superseded' }, claimed({ claim: 1 })]);
  await expect(test_.ledger.fence.claim([ask(1), ask(2)], { claimMs })).rejects.toThrow(TypeError);
});

test('batches over the same records from two processes neither deadlock nor share a claim', async () => {
  const other = test_.another();
  const names = Array.from({ length: 50 }, (_, index) => `${key}-${index}`);
  const batch = (workflowId: string, keys: string[]) => keys.map((keyHmac) => ask(1, { keyHmac, workflowId }));
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? other : test_.ledger).fence.claim(batch(`run-${index}`, index % 3 ? names : [...names].reverse()), { claimMs }),
    ),
  );
  const granted = results.flat().filter((result) => result.kind === 'claimed');
  expect(granted).toHaveLength(50);
  expect(results.flat().filter((result) => result.kind === 'wait')).toHaveLength(950);
});
