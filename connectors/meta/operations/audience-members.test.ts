import { setTimeout as delay } from 'node:timers/promises';
import { vendorUnderTest } from '../../../test/conformance/vendor-under-test';
import type { JobState } from '../../connector';
import { readHashedKey } from '../../identifiers/hashed-member';
import { meta } from '../index';
import { readJobName, sessionIdOf, stateOf } from '../session';
import { simulated } from '../simulator';
import { addToAudience, removeFromAudience } from './audience-members';

const id = '120330000000000001';
const add = addToAudience(id);
const remove = removeFromAudience(id);
const people = (count: number) => Array.from({ length: count }, (_, n) => ({ emails: [`p${n}@example.com`], phones: [] as string[] }));

test('operations say which audience they are of; it has a number', () => {
  expect([add.name, remove.name]).toEqual([`audience.${id}.add`, `audience.${id}.remove`]);
  expect(remove.object).toBe(add.object);
  expect(() => addToAudience('vip@example')).toThrow(/has a number/);
});

test('a key holds no personal data, and is all that a removal needs', () => {
  const key = add.key({ emails: ['Ada@Example.com'], phones: ['+49 151 23456789'], firstName: 'Ada', country: 'DE', externalId: 'C-1' });
  expect(key).not.toMatch(/ada|example|151|de"/i);
  expect(readHashedKey(key)).toMatchObject({ x: 'C-1' });
  const row = remove.input.parse({ key, vendorId: null });
  expect(remove.key(row)).toBe(key);
  expect(remove.input.safeParse({ key: 'ada@example.com', vendorId: null }).success).toBe(false);
});

test('a session has the number of its rows: the same for the same name, another for each audience and direction', () => {
  const ids = [add.name, remove.name, 'audience.2.add'].map((one) => sessionIdOf(one, 'run-1/0'));
  expect(sessionIdOf(add.name, 'run-1/0')).toBe(ids[0]);
  expect(new Set([...ids, sessionIdOf(add.name, 'run-1/1'), sessionIdOf(add.name, undefined), sessionIdOf(add.name, undefined)]).size).toBe(6);
  for (const one of ids) expect(Number.isSafeInteger(one) && one > 0).toBe(true);
  // Never changes: a run under way goes on with the session it began.
  expect(sessionIdOf('audience.1.add', 'x')).toBe(4015353370519715);
});

describe('what Meta may say of a session', () => {
  const session = { stage: 'x', end_time: '1757326999', progress: '100', num_received: '5', num_invalid_entries: '0', num_matched: '4' };
  const of = (change: object, job: object = {}): JobState =>
    stateOf({ audience: id, session: 1, members: 5, dataRows: 5, ...job }, 200, { data: [{ ...session, ...change }] });

  // The only recorded answer: facebook-java-business-sdk issue 492.
  test('uploading', () => {
    const recorded = { end_time: '0', num_received: '10000', num_matched: '-1', num_invalid_entries: '0', progress: '0', stage: 'uploading' };
    expect(of({ session_id: '653573199724136401', start_time: '1757326241', ...recorded })).toEqual({ state: 'running', againMs: 60_000 });
  });

  test.each([
    [{}, {}, { taken: 5, matched: { least: 0.8, most: 0.8 } }],
    [{ num_invalid_entries: '2' }, {}, { taken: 3 }],
    [{ num_received: '3' }, {}, { taken: 3 }],
    [{ num_received: '3', num_invalid_entries: '4' }, {}, { taken: 0 }],
    [{ num_matched: '0' }, {}, { taken: 5, matched: { least: 0, most: 0 } }],
    [{ num_matched: '7' }, {}, { matched: { least: 1, most: 1 } }],
    // A repeated batch that was counted twice: all there, or nobody knows.
    [{ num_received: '10' }, {}, { taken: 5 }],
    // Members of several rows: whose row was lost, and whose matched, is not said.
    [{ num_matched: '3' }, { members: 4 }, { taken: 4, matched: { least: 0.5, most: 0.75 } }],
  ])('over, %j', (change, job, expected) => {
    expect(of(change, job)).toMatchObject({ state: 'ended', results: [], unnamed: 'unattributed', ...expected });
  });

  test.each([
    [{ num_received: '10', num_invalid_entries: '1' }, {}, 'taken'],
    [{ num_invalid_entries: '1' }, { members: 4 }, 'taken'],
    [{ num_matched: '-1' }, {}, 'matched'],
    [{ num_received: '0', num_matched: '0' }, {}, 'matched'],
  ])('what is not known is left out: %j', (change, job, missing) => {
    expect(of(change, job)).not.toHaveProperty(missing);
  });

  test('failed, forgotten, or nothing we know', () => {
    expect(of({ stage: 'FAILED' })).toMatchObject({ state: 'failed', retry: true, code: 'UPLOAD_FAILED' });
    const job = { audience: id, session: 1, members: 5, dataRows: 5 };
    expect(stateOf(job, 200, { data: [] })).toMatchObject({ state: 'failed', retry: true, code: 'JOB_NOT_FOUND' });
    for (const answer of [{}, null, { data: [{}] }, { data: [7] }, { data: [{ ...session, num_received: 'many' }] }])
      expect(() => stateOf(job, 200, answer)).toThrow(/how far/);
  });
});

describe('against the simulator', () => {
  let accessToken = 'EAAsandbox0123456789';
  const { simulator, gate, call, hasty } = vendorUnderTest({
    connector: meta,
    simulated,
    credentials: () => ({ accessToken }),
    config: { limits: 'unlimited', jobMs: 10 },
  });
  beforeEach(() => simulator.configure({ limits: 'unlimited', jobMs: 10, properties: [], windowScale: 1 }));
  const over = async (job: string, from: typeof add | typeof remove = add): Promise<JobState> => {
    for (;;) {
      const state = await from.poll(call(), job, []);
      if (state.state !== 'running') return state;
      await delay(10);
    }
  };
  const members = () => simulator.records().filter(({ collection }) => collection === `audience:${id}`);
  const posting = { method: 'POST', path: '/users' };

  test('a crash between two batches: the same session goes on, and nobody is counted twice', async () => {
    const rows = people(19_500);
    simulator.addFault({ kind: 'serverError', match: { ...posting, nth: 2 } });
    await expect(add.submit(call(), rows, 'run-1/0')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const session = sessionIdOf(add.name, 'run-1/0');
    const open = `${id}.${session}.19500.19500`;
    // Without its last batch it stays open, however long one looks.
    await delay(100);
    expect(await add.poll(call(), open, rows)).toMatchObject({ state: 'running' });
    expect(members()).toEqual([]);
    expect(await add.submit(call(), rows, 'run-1/0')).toEqual({ job: open });
    expect(gate.ends.filter(({ status }) => status === 200)).toHaveLength(1 + 1 + 2);
    expect(await over(open)).toMatchObject({ state: 'ended', taken: 19_500 });
    expect([members().length, simulator.stats().records.writes]).toEqual([19_500, 19_500]);
  });

  test('handed over in full, and the answer lost: the session is closed, which is as good as an answer', async () => {
    const rows = [{ emails: ['ada@example.com', 'ada@example.org'], phones: [] }, ...people(2)];
    simulator.addFault({ kind: 'timeoutAfterCommit', match: posting });
    await expect(add.submit(hasty(), rows, 'run-1/0')).rejects.toMatchObject({ ambiguous: true });
    const { job } = await add.submit(call(), rows, 'run-1/0');
    expect(job).toBe(`${id}.${sessionIdOf(add.name, 'run-1/0')}.3.4`);
    expect(await over(job)).toMatchObject({ state: 'ended', taken: 3 });
    expect(simulator.stats().byStatus['400']).toBe(1);
  });

  test('a session begun too long ago is left alone, and the rows go in another', async () => {
    const rows = people(10_500);
    simulator.configure({ windowScale: 1e-5 });
    simulator.addFault({ kind: 'serverError', match: { ...posting, nth: 2 } });
    await expect(add.submit(call(), rows, 'run-1/0')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await delay(100);
    simulator.configure({ windowScale: 1 });
    const { job } = await add.submit(call(), rows, 'run-1/0');
    expect(readJobName(job)!.session).not.toBe(sessionIdOf(add.name, 'run-1/0'));
    expect(await over(job)).toMatchObject({ state: 'ended', taken: 10_500 });
    expect(members()).toHaveLength(10_500);
  });

  test('several addresses are one member: all go, and all leave', async () => {
    const rows = [{ emails: ['ada@example.com', 'ada@example.org'], phones: ['+4915123456789'], firstName: 'Ada' }, ...people(1)];
    const { job } = await add.submit(call(), rows);
    expect(job).toMatch(/\.2\.3$/);
    const { matched, ...state } = (await over(job)) as Extract<JobState, { state: 'ended' }>;
    expect(state).toEqual({ state: 'ended', results: [], unnamed: 'unattributed', taken: 2 });
    expect(matched!.least).toBeLessThanOrEqual(matched!.most);
    expect(members()).toHaveLength(3);
    const leaving = rows.map((row) => ({ key: add.key(row), vendorId: null }));
    const removal = await remove.submit(call(), leaving);
    expect(await over(removal.job, remove)).toMatchObject({ state: 'ended', taken: 2 });
    expect(members()).toEqual([]);
  });

  test.each([
    ['TERMS_NOT_SIGNED', add, people(3), /accept/],
    ['UPLOAD_BLOCKED', add, people(3), /appeal/],
    ['UPLOAD_BLOCKED', remove, people(3).map((row) => ({ key: add.key(row), vendorId: null })), /appeal/],
    ['AUDIENCE_TOO_SMALL', remove, people(3).map((row) => ({ key: add.key(row), vendorId: null })), /add members first/],
  ])('%s: one call, and a job that is over and says what to do', async (code, operation, rows, words) => {
    await over((await add.submit(call(), people(101))).job);
    simulator.configure({ properties: [code] });
    const before = gate.ends.length;
    const { job } = await (operation as typeof add).submit(call(), rows as never, 'run-1/0');
    expect(gate.ends.length - before).toBe(1);
    expect(await operation.poll(call(), job, [])).toEqual({ state: 'failed', retry: false, code, cause: expect.stringMatching(words) });
    expect(gate.ends.length - before).toBe(1);
    expect(members()).toHaveLength(101);
  });

  test('a large audience may lose members, whatever the rule for small ones', async () => {
    await over((await add.submit(call(), people(103))).job);
    simulator.configure({ properties: ['AUDIENCE_TOO_SMALL'] });
    const { job } = await remove.submit(
      call(),
      people(3).map((row) => ({ key: add.key(row), vendorId: null })),
    );
    expect(await over(job, remove)).toMatchObject({ state: 'ended', taken: 3 });
    expect(members()).toHaveLength(100);
  });

  test('rows that are not hashed are counted, and are no members', async () => {
    const session = { session_id: 7, batch_seq: 1, last_batch_flag: true };
    const payload = {
      schema: ['EMAIL', 'PHONE'],
      data: [
        ['ada@example.com', ''],
        ['', ''],
        ['', 'a'.repeat(64)],
      ],
    };
    const { data } = await call().post(`/v25.0/${id}/users`, { payload, session });
    expect(data).toMatchObject({ audience_id: id, session_id: '7', num_received: 3, num_invalid_entries: 2 });
    expect(await over(`${id}.7.3.3`)).toMatchObject({ taken: 1 });
    expect(members()).toHaveLength(1);
  });

  test('no session, no rows, too many, an audience without a number', async () => {
    const data = Array.from({ length: 10_001 }, () => ['a'.repeat(64)]);
    const session = { session_id: 7, batch_seq: 1, last_batch_flag: true };
    for (const body of [
      { payload: { schema: ['EMAIL'], data: [['a'.repeat(64)]] } },
      { payload: { schema: ['EMAIL'], data: [] }, session },
      { payload: { schema: ['EMAIL'], data }, session },
      { payload: { schema: ['EMAIL'], data: [['a'.repeat(64)]] }, session: { ...session, batch_seq: 0 } },
    ])
      await expect(call().post(`/v25.0/${id}/users`, body)).rejects.toMatchObject({ code: 'INVALID', vendorCode: '100' });
    await expect(call().post('/v25.0/vip/users', {})).rejects.toMatchObject({ code: 'NOT_FOUND', status: 400 });
    expect(simulator.records()).toEqual([]);
  });

  test('a token that expired is said with a 400: the one that is there now is taken, and the same not tried twice', async () => {
    simulator.configure({ tokens: ['EAArenewed0123456789'] });
    await expect(add.submit(call(), people(1))).rejects.toMatchObject({ code: 'AUTH', status: 400, vendorCode: '190' });
    expect(gate.ends).toHaveLength(1);
    accessToken = 'EAArenewed0123456789';
    expect(await over((await add.submit(call(), people(1))).job)).toMatchObject({ taken: 1 });
    expect(simulator.stats().byStatus['400']).toBe(2);
    simulator.configure({ tokens: null });
  });

  test('the header speaks in percent, and in minutes when all is used up', async () => {
    simulator.configure({ limits: 'declared' });
    await add.submit(call(), people(1));
    expect(meta.limitReadings({ headers: gate.ends[0]!.headers })).toEqual([{ limit: 'CUSTOM_AUDIENCE', max: 5_000, remaining: 4_950 }]);
    simulator.configure({ limits: { CUSTOM_AUDIENCE: { max: 1 } } });
    await add.submit(call(), people(1));
    await expect(add.submit(call(), people(1))).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 3_600_000 });
  });
});
