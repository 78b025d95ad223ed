import { setTimeout as delay } from 'node:timers/promises';
import { failing, vendorUnderTest } from '../../../test/conformance/vendor-under-test';
import type { Json } from '../../../schemas/json';
import type { Call, JobOperation, JobState, VendorRequest } from '../../connector';
import type { AudienceMember } from '../../identifiers/member';
import { googleDataManager } from '../index';
import { simulated } from '../simulator';
import { joining } from './member';
import { addToUserList, removeFromUserList } from './user-list';

const list = { operatingAccount: { accountType: 'GOOGLE_ADS', accountId: '1234567890' }, userListId: '9876' } as const;
const add = addToUserList(list);
const remove = removeFromUserList(list);
const person = (n: number): AudienceMember => joining.parse({ emails: [`person.${n}@example.com`], phones: ['+18005550100'] });
const people = (count: number) => Array.from({ length: count }, (_, n) => person(n));
const gone = (rows: AudienceMember[]) => rows.map((row) => ({ key: add.key(row), vendorId: null }));

/** Answers with what is given, and keeps what was asked. */
function canned(data: unknown): { call: Call; asked: VendorRequest[] } {
  const asked: VendorRequest[] = [];
  const request = (sent: VendorRequest) => {
    asked.push(sent);
    return Promise.resolve({ status: 200, headers: {}, data });
  };
  return { call: { request, get: (path) => request({ method: 'GET', path }), post: (path, body) => request({ method: 'POST', path, body }) }, asked };
}

describe('what is sent', () => {
  test('to join: destination, hashes, encoding, terms; consent as declared', async () => {
    const { call, asked } = canned({ requestId: 'r-1' });
    const consent = { adUserData: 'CONSENT_GRANTED', adPersonalization: 'CONSENT_DENIED' } as const;
    const loginAccount = { accountType: 'GOOGLE_ADS', accountId: '555' } as const;
    expect(await addToUserList({ ...list, loginAccount, consent }).submit(call, [joining.parse({ emails: ['alexz@example.com'] })])).toEqual({ job: 'r-1.1' });
    expect(asked).toEqual([
      {
        method: 'POST',
        path: '/v1/audienceMembers:ingest',
        body: {
          destinations: [{ operatingAccount: list.operatingAccount, loginAccount, productDestinationId: '9876' }],
          audienceMembers: [{ userData: { userIdentifiers: [{ emailAddress: '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a' }] } }],
          encoding: 'HEX',
          consent,
          termsOfService: { customerMatchTermsOfServiceStatus: 'ACCEPTED' },
        },
      },
    ]);
  });

  test('to leave: the same identifiers, out of the key alone; neither consent nor terms', async () => {
    const { call, asked } = canned({ requestId: 'r-1' });
    await add.submit(call, [person(1)]);
    await remove.submit(call, gone([person(1)]));
    const [joined, left] = asked.map(({ body }) => body as Record<string, Json>);
    expect(left).toEqual({ destinations: joined!['destinations'], audienceMembers: joined!['audienceMembers'], encoding: 'HEX' });
    expect(asked[1]!.path).toBe('/v1/audienceMembers:remove');
  });

  test('a look counts by another quota', async () => {
    const { call, asked } = canned({ requestStatusPerDestination: [{ requestStatus: 'PROCESSING' }] });
    await add.poll(call, 'r/1.12', [person(1)]);
    await add.poll(call, 'r/1', [person(1)]);
    const look = { method: 'GET', path: '/v1/requestStatus:retrieve', query: { requestId: 'r/1' }, quota: 'status' };
    expect(asked).toEqual([look, look]);
    expect([add.quota, remove.quota]).toEqual(['ingestion', 'ingestion']);
  });

  test.each([{}, null, { requestId: '' }, { requestId: 7 }])('%j names no request: it may have taken effect', async (data) => {
    await expect(add.submit(canned(data).call, [person(1)])).rejects.toMatchObject({ code: 'UNKNOWN', ambiguous: true });
  });

  test('too many bytes are not sent', async () => {
    const { call, asked } = canned({});
    const heavy = joining.parse({
      emails: Array.from({ length: 5 }, (_, n) => `p${n}@example.com`),
      phones: Array.from({ length: 5 }, (_, n) => `+1800555010${n}`),
    });
    await expect(add.submit(call, Array<AudienceMember>(10_000).fill(heavy))).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(asked).toEqual([]);
  });
});

test('joining and leaving write the same, under names of their own; ids with dashes are refused', () => {
  expect([add.name, remove.name]).toEqual(['userList.1234567890.9876.add', 'userList.1234567890.9876.remove']);
  expect(add.object).toBe(remove.object);
  expect(() => addToUserList({ ...list, operatingAccount: { accountType: 'GOOGLE_ADS', accountId: '123-456-7890' } })).toThrow(/operatingAccount.accountId/);
  expect(() => removeFromUserList({ ...list, userListId: 'users' })).toThrow(/userListId "users"/);
});

describe('against the simulator', () => {
  const { simulator, call } = vendorUnderTest({
    connector: googleDataManager,
    simulated,
    credentials: { clientId: 'client', clientSecret: 'secret', refreshToken: '1//0sandbox' },
    config: { limits: 'unlimited', jobMs: 5 },
  });
  const run = async <I>(job: JobOperation<I>, rows: I[]): Promise<JobState> => {
    const { job: id } = await job.submit(call(), rows);
    for (;;) {
      const state = await job.poll(call(), id, rows);
      if (state.state !== 'running') return state;
      await delay(5);
    }
  };

  test('members join, and leave by their keys; who is not on the list leaves as well', async () => {
    expect(await run(add, people(200))).toEqual({
      state: 'ended',
      results: [],
      unnamed: 'unattributed',
      taken: 200,
      matched: { least: 0.61, most: 0.71 },
    });
    expect(simulator.records()).toHaveLength(200);
    expect(simulator.records()[0]).toMatchObject({ collection: 'userlist:9876', key: add.key(person(0)) });
    expect(await run(remove, gone([person(0), person(1), person(777)]))).toEqual({ state: 'ended', results: [], unnamed: 'unattributed', taken: 3 });
    expect(simulator.records()).toHaveLength(198);
  });

  test('who was handed over is counted, not who is still the same: a row that changed since takes no other along', async () => {
    const rows = people(100);
    const { job } = await add.submit(call(), rows);
    expect(job).toMatch(/^[\w-]+\.100$/);
    await delay(30);
    for (const left of [rows.slice(1), []]) expect(await add.poll(call(), job, left)).toMatchObject({ state: 'ended', taken: 100 });
    // A job of before its members were counted in its name.
    expect(await add.poll(call(), job.replace('.100', ''), rows)).toMatchObject({ state: 'ended', taken: 100 });
  });

  afterEach(() => simulator.configure({ tokens: null, secrets: null }));

  test('the access token expires while a job runs: it is renewed, and nothing is handed over twice', async () => {
    const { job } = await add.submit(call(), people(100));
    simulator.configure({ tokens: ['ya29.renewed'] });
    const states = await Promise.all(Array.from({ length: 5 }, () => add.poll(call(), job, people(100))));
    expect(states).toHaveLength(5);
    expect(simulator.stats().byPath).toMatchObject({ 'POST /token': 1, 'POST /v1/audienceMembers::ingest': 1 });
    while ((await add.poll(call(), job, people(100))).state === 'running') await delay(5);
    expect(simulator.records()).toHaveLength(100);
  });

  test('a refresh token that is revoked: the cause says what to do, and no member is at fault', async () => {
    simulator.configure({ tokens: ['ya29.another'], secrets: ['secret'] });
    const error = await failing(add.submit(call(), people(2)));
    expect(error).toMatchObject({ code: 'AUTH', status: 400, vendorCode: 'invalid_grant', ambiguous: false });
    expect(error.message).toMatch(/revoked.*consent again, and set the new refresh token/);
    simulator.configure({ tokens: null, secrets: null });
    expect(await run(add, people(2))).toMatchObject({ state: 'ended', taken: 2 });
  });

  test('of few people no match rate is told', async () => {
    expect(await run(add, people(99))).not.toHaveProperty('matched');
  });

  test('some members are not taken: how many is told, not which', async () => {
    simulator.addFault({ kind: 'partial', emails: [add.key(person(1)), add.key(person(2))], code: 'INVALID_FORMAT' });
    expect(await run(add, people(10))).toEqual({ state: 'ended', results: [], unnamed: 'unattributed', taken: 8 });
    expect(simulator.records()).toHaveLength(8);
  });

  test('without the terms nobody joins: over in one call, whoever the members are, and the cause says what to do', async () => {
    const unsigned = addToUserList({ ...list, termsOfService: 'REJECTED' });
    const before = simulator.stats().calls;
    expect(await run(unsigned, people(2))).toEqual({
      state: 'failed',
      retry: false,
      code: 'TERMS_AND_CONDITIONS_NOT_SIGNED',
      cause: expect.stringMatching(/accept them there, and declare .* at terms_of_service\.customer_match_terms_of_service_status\)$/),
    });
    expect(simulator.stats().calls).toBe(before + 1);
    expect(simulator.records()).toEqual([]);
  });

  test('a list that Google does not know is no member’s fault; a member that Google does not take is', async () => {
    simulator.addFault({ kind: 'status', status: 404, times: 1, body: { error: { code: 404, status: 'NOT_FOUND', message: 'Not found.' } } });
    expect(await run(remove, gone(people(2)))).toMatchObject({ state: 'failed', retry: false, code: 'NOT_FOUND', cause: expect.stringMatching(/userListId/) });
    const nobody: AudienceMember = { ...person(1), emails: [], phones: [] };
    expect(await failing(add.submit(call(), [person(0), nobody]))).toMatchObject({ code: 'INVALID', vendorCode: 'NO_IDENTIFIERS_PROVIDED' });
  });

  test('consent denied: Google takes the request and none of the members', async () => {
    const denied = addToUserList({ ...list, consent: { adUserData: 'CONSENT_DENIED' } });
    expect(await run(denied, people(2))).toMatchObject({ state: 'failed', retry: false, code: 'DENIED_CONSENT' });
    expect(simulator.records()).toEqual([]);
  });

  const identifier = { emailAddress: '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a' };
  const body = (userIdentifiers: Json[], more: Record<string, Json> = {}): Json => ({
    destinations: [{ operatingAccount: { ...list.operatingAccount }, productDestinationId: '9876' }],
    audienceMembers: [{ userData: { userIdentifiers: [identifier] } }, { userData: { userIdentifiers } }],
    encoding: 'HEX',
    termsOfService: { customerMatchTermsOfServiceStatus: 'ACCEPTED' },
    ...more,
  });
  test.each([
    ['NO_IDENTIFIERS_PROVIDED', body([])],
    ['TOO_MANY_USER_IDENTIFIERS', body(Array<Json>(11).fill(identifier))],
    ['INVALID_HEX_ENCODING', body([{ emailAddress: 'ada@example.com' }])],
    ['INVALID_SHA256_FORMAT', body([{ phoneNumber: 'abcd' }])],
    ['INVALID_COUNTRY_CODE', body([{ address: { givenName: identifier.emailAddress, familyName: identifier.emailAddress, postalCode: '1' } }])],
    ['INVALID_ENUM_VALUE', body([identifier], { encoding: 'ENCODING_UNSPECIFIED' })],
    ['REQUIRED_FIELD_MISSING', body([identifier], { destinations: [] })],
    ['INVALID_USER_LIST_ID', body([identifier], { destinations: [{ operatingAccount: { ...list.operatingAccount }, productDestinationId: 'x' }] })],
  ])('%s fails the whole request, and names the field', async (reason, sent) => {
    const error = await failing(call().post('/v1/audienceMembers:ingest', sent));
    expect(error).toMatchObject({ code: 'INVALID', vendorCode: reason, requestId: expect.stringMatching(/^t-/), message: expect.stringMatching(/ at \w+/) });
    await delay(30);
    expect(simulator.records()).toEqual([]);
  });
});
