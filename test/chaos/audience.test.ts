import { setTimeout as delay } from 'node:timers/promises';
import { audienceKeys, startAudienceStage, userListKeys, type AudienceStage } from '../support/audience-stage';
import { metaAudience } from '../support/audience-syncs';

/** How long Meta refuses; ten minutes with SYNCLINE_TEST_THROTTLE_MS=600000. */
const throttleMs = Number(process.env.SYNCLINE_TEST_THROTTLE_MS ?? 60_000);

jest.setTimeout(300_000 + throttleMs);

const members = 50_000;
let stage: AudienceStage;
beforeAll(async () => {
  stage = await startAudienceStage('postgres');
  await stage.members(members);
});
afterAll(() => stage?.stop());

const agreed = () => stage.warehouse.sql('select email, phone from members where agreed');

test('50,000 members; the worker is killed in the middle of an upload session, throttled before and after: just they are in the audience', async () => {
  const { meta } = stage.sims;
  await meta!.configure({ latencyMs: 1_500 });
  await meta!.fault({ kind: 'rateLimit', match: { method: 'POST', path: 'users', nth: [1, 4] } });
  const handle = await stage.start(stage.syncs.meta);
  const uploads = async () => (await meta!.stats()).byPath[`POST /${metaAudience}/users`] ?? Object.values((await meta!.stats()).byPath)[0] ?? 0;
  for (let look = 0; (await uploads()) < 2; look++) {
    if (look > 600) throw new Error(`no upload in sight: ${JSON.stringify(await meta!.stats())}`);
    await delay(50);
  }
  await stage.killWorker();
  await meta!.configure({ latencyMs: 0 });
  await stage.startWorker();
  const { equation } = (await handle.result()) as Awaited<ReturnType<AudienceStage['run']>>;
  expect(equation).toMatchObject({ planned: members, outcomes: { verified: members }, holds: true });
  expect(await stage.at('meta', `audience:${metaAudience}`)).toEqual(audienceKeys(await agreed()));

  await stage.warehouse.sql('update members set agreed = false where id % 5 = 0');
  const second = await stage.run(stage.syncs.meta);
  expect(second.equation).toMatchObject({ planned: members / 5, outcomes: { verified: members / 5 }, holds: true });
  expect(await stage.at('meta', `audience:${metaAudience}`)).toEqual(audienceKeys(await agreed()));
});

test('one of the jobs fails and is handed over again; what a vendor took in part is told as owed, and sent again on request', async () => {
  const google = stage.sims['google-data-manager']!;
  await google.fault({
    kind: 'status',
    status: 200,
    match: { method: 'GET', path: 'requestStatus' },
    body: {
      requestStatusPerDestination: [
        { requestStatus: 'FAILED', errorInfo: { errorCounts: [{ recordCount: '5', reason: 'PROCESSING_ERROR_REASON_INTERNAL_ERROR' }] } },
      ],
    },
  });
  const first = await stage.run(stage.syncs.google);
  const count = (await agreed()).length;
  expect(first.equation).toMatchObject({ planned: count, outcomes: { verified: count }, holds: true });
  expect(await stage.at('google-data-manager', 'userlist:777')).toEqual(userListKeys(await agreed()));

  // A vendor that drops one of a job's members and tells only how many it took.
  await stage.warehouse.sql(`insert into members select i, 'm' || i || '@example.com', null, true from generate_series(60001, 60100) as t(i)`);
  const [dropped] = userListKeys([{ email: 'm60007@example.com', phone: null }]);
  await google.fault({ kind: 'partial', emails: [dropped!], code: 'DROPPED' });
  const second = await stage.run(stage.syncs.google);
  expect(second.equation).toMatchObject({ planned: 100, outcomes: { unattributed: 100 }, holds: true });
  expect(second.equation.causes).toEqual([{ outcome: 'unattributed', code: 'AGGREGATE', cause: 'the vendor took 99 of 100 rows, and not which', rows: 100 }]);
  await google.clearFaults();
  const again = await stage.start(stage.syncs.google, { full: true });
  const { runId } = await stage.until(again, ({ state }) => state === 'waiting');
  await stage.approve(again, runId);
  expect(((await again.result()) as typeof second).equation).toMatchObject({ outcomes: { verified: count + 100 }, holds: true });
  expect(await stage.at('google-data-manager', 'userlist:777')).toEqual(userListKeys(await agreed()));
});

test('a throttle of a minute: the run waits it out with a call or two, says so, and ends with just those in the audience', async () => {
  const { meta } = stage.sims;
  await stage.warehouse.sql(`insert into members select i, 'm' || i || '@example.com', null, true from generate_series(70001, 72000) as t(i)`);
  await stage.warehouse.sql('update members set agreed = false where id between 1 and 499');
  const before = (await meta!.stats()).calls;
  await meta!.fault({ kind: 'rateLimit', retryAfter: String(throttleMs / 1_000), times: 'forever' });
  const from = Date.now();
  const handle = await stage.start(stage.syncs.meta);
  const { held } = await stage.until(handle, (view) => view.held.length > 0);
  expect(['retry', 'budget', 'paused']).toContain(held[0]?.cause);
  expect(held[0]!.untilMs).toBeGreaterThan(from + throttleMs / 2);
  await delay(from + throttleMs - Date.now());
  expect((await meta!.stats()).calls - before).toBeLessThanOrEqual(3);
  await meta!.clearFaults();
  const { equation } = (await handle.result()) as Awaited<ReturnType<AudienceStage['run']>>;
  process.stderr.write(`throttled for ${throttleMs / 1_000} s: ended ${((Date.now() - from - throttleMs) / 1_000).toFixed(1)} s after\n`);
  expect(equation.holds).toBe(true);
  expect(Object.keys(equation.outcomes)).toEqual(['verified']);
  expect(Date.now() - from).toBeLessThan(throttleMs + 60_000);
  expect(await stage.at('meta', `audience:${metaAudience}`)).toEqual(audienceKeys(await agreed()));
});
