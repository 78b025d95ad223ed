import { vendorUnderTest } from '../../../test/conformance/vendor-under-test';
import type { Call, VendorRequest, VendorResponse } from '../../connector';
import { VendorError } from '../../errors';
import { errorFrom } from '../errors';
import { klaviyo } from '../index';
import { simulated } from '../simulator';
import { importIntoList, importProfiles } from './import-profiles';
import { addToList, removeFromList } from './list-members';
import type { Profile } from './profile';
import { readProfiles } from './read-profiles';
import { upsertProfiles } from './upsert-profiles';

const ada: Profile = {
  email: 'Ada@Example.com',
  attributes: { first_name: 'Ada', last_name: null },
  location: { city: 'London' },
  properties: { tier: 'gold', visits: 3, tags: ['a'] },
};
const bob: Profile = { email: 'bob@example.com', attributes: { first_name: 'Bob' } };
const list = 'Y6nRLr';

/** A vendor that gives these answers, one after the other. */
function canned(...answers: (Partial<VendorResponse> | VendorError)[]): { call: Call; asked: VendorRequest[] } {
  const asked: VendorRequest[] = [];
  const request = (wanted: VendorRequest): Promise<VendorResponse> => {
    asked.push(wanted);
    const answer = answers.shift() ?? new VendorError({ code: 'UNKNOWN', status: null, message: 'no more answers' });
    return answer instanceof VendorError ? Promise.reject(answer) : Promise.resolve({ status: 200, headers: {}, data: null, ...answer });
  };
  return { asked, call: { request, get: () => Promise.reject(new Error()), post: () => Promise.reject(new Error()) } };
}

describe('the input', () => {
  const valid = (input: unknown) => upsertProfiles.input.safeParse(input).success;

  test('an e-mail address, and what is to be written', () => {
    for (const good of [ada, bob, { email: 'a@b.co' }]) expect(valid(good)).toBe(true);
    for (const bad of [{}, { email: 'no' }, { email: 'a@b.co', attributes: { email: 'x@y.co' } }, { email: 'a@b.co', attributes: { first_name: 3 } }])
      expect(valid(bad)).toBe(false);
  });

  test('fields by group; what is left out is gone, and null when nothing is left', () => {
    expect(upsertProfiles.fields(ada)).toEqual(['first_name', 'last_name', 'location.city', 'properties.tier', 'properties.visits', 'properties.tags']);
    expect(upsertProfiles.without(ada, ['first_name', 'location.city', 'properties.visits', 'tier'])).toEqual({
      email: 'Ada@Example.com',
      attributes: { last_name: null },
      properties: { tier: 'gold', tags: ['a'] },
    });
    expect(upsertProfiles.without(bob, ['first_name'])).toBeNull();
  });

  test('a list goes by Klaviyo’s id', () => {
    expect(() => addToList('../profiles')).toThrow(/not the id of a list/);
    expect(addToList(list).object).toBe(removeFromList(list).object);
    expect(importIntoList(list).object).toBe(addToList(list).object);
  });
});

describe('answers Klaviyo may give', () => {
  test('a profile is sent as JSON:API, with the revision', async () => {
    const { call, asked } = canned({ status: 201, data: { data: { type: 'profile', id: '01G' } } });
    expect(await upsertProfiles.send(call, [ada])).toEqual([{ key: 'ada@example.com', status: 'accepted', vendorId: '01G' }]);
    expect(asked).toEqual([
      {
        method: 'POST',
        path: '/api/profile-import',
        headers: { accept: 'application/vnd.api+json', 'content-type': 'application/vnd.api+json', revision: '2026-07-15' },
        body: {
          data: {
            type: 'profile',
            attributes: {
              email: 'ada@example.com',
              first_name: 'Ada',
              last_name: null,
              location: { city: 'London' },
              properties: { tier: 'gold', visits: 3, tags: ['a'] },
            },
          },
        },
      },
    ]);
  });

  test.each([
    [400, 'invalid', 'Invalid input: *** of *** is no good (at /data/attributes/phone_number)'],
    [409, 'duplicate_profile', 'Invalid input: *** of *** is no good (at /data/attributes/phone_number)'],
  ])('%p refuses the profile, in words without its values', async (status, code, cause) => {
    const data = { errors: [{ code, title: 'Invalid input.', detail: 'London of Ada is no good.', source: { pointer: '/data/attributes/phone_number' } }] };
    const { call } = canned(errorFrom({ status, headers: {}, data }));
    expect(await upsertProfiles.send(call, [ada])).toEqual([{ key: 'ada@example.com', status: 'rejected', code, cause, vendorSaid: data }]);
  });

  test('an error that is not of the profile stays one', async () => {
    for (const [status, data] of [
      [401, null],
      [404, null],
      [503, null],
      [400, '<html>'],
      [429, null],
    ] as const)
      await expect(upsertProfiles.send(canned(errorFrom({ status, headers: {}, data })).call, [ada])).rejects.toBeInstanceOf(VendorError);
  });

  const job = (attributes: object) => ({ data: { data: { type: 'profile-bulk-import-job', id: 'j', attributes } } });
  const errors = (payloads: unknown[], next?: string) => ({
    data: {
      data: payloads.map((original_payload, n) => ({
        type: 'import-error',
        id: `e${n}`,
        attributes: { code: 'invalid', title: 'Invalid input.', detail: 'Ada is no good', original_payload },
      })),
      links: { next },
    },
  });
  const rejected = (key: string) => expect.objectContaining({ key, status: 'rejected', code: 'invalid' }) as unknown;

  test('an error is the row’s whose address its payload holds, flat or as it was sent', async () => {
    for (const payload of [
      { email: 'ADA@example.com' },
      { type: 'profile', attributes: { email: 'ada@example.com' } },
      { data: { attributes: { email: 'ada@example.com' } } },
    ]) {
      const { call } = canned(job({ status: 'complete', total_count: 2, completed_count: 1, failed_count: 1 }), errors([payload]));
      expect(await importProfiles.poll(call, 'j', [ada, bob])).toEqual({ state: 'ended', results: [rejected('ada@example.com')], unnamed: 'accepted' });
    }
  });

  test('pages are read by their cursor, whatever host the link names', async () => {
    const next = 'https://evil.invalid/api/elsewhere?page%5Bcursor%5D=abc';
    const { call, asked } = canned(
      job({ status: 'complete', total_count: 2, failed_count: 2 }),
      errors([{ email: 'ada@example.com' }], next),
      errors([{ email: 'bob@example.com' }]),
    );
    const state = await importProfiles.poll(call, 'j/../x', [ada, bob]);
    expect(state).toMatchObject({ results: [{ key: 'ada@example.com' }, { key: 'bob@example.com' }], unnamed: 'accepted' });
    expect(asked.map(({ path, query }) => [path, query?.['page[cursor]']])).toEqual([
      ['/api/profile-bulk-import-jobs/j%2F..%2Fx', undefined],
      ['/api/profile-bulk-import-jobs/j%2F..%2Fx/import-errors', undefined],
      ['/api/profile-bulk-import-jobs/j%2F..%2Fx/import-errors', 'abc'],
    ]);
  });

  test.each([
    ['an error without payload', { total_count: 2, failed_count: 1 }, [null], 0, 1],
    ['an error of somebody else’s row', { total_count: 2, failed_count: 1 }, [{ email: 'eve@example.com' }], 0, 1],
    ['more failures than errors', { total_count: 2, failed_count: 2 }, [{ email: 'ada@example.com' }], 1, 0],
    ['fewer rows than we sent', { total_count: 1, failed_count: 0 }, [], 0, 1],
    ['no counts, and an error without payload', {}, [{ email: 'ada@example.com' }, {}], 1, 0],
  ])('%s: nobody is called accepted who may not be', async (_name, counts, payloads, named, taken) => {
    const { call } = canned(job({ status: 'complete', ...counts }), errors(payloads));
    const state = await importProfiles.poll(call, 'j', [ada, bob]);
    expect(state).toMatchObject({ state: 'ended', unnamed: 'unattributed', taken });
    expect(state).toHaveProperty('results.length', named);
  });

  test('two errors of one row are one fate; a hiccup may pass', async () => {
    const payload = { email: 'ada@example.com' };
    const { call } = canned(job({ status: 'complete', total_count: 2, failed_count: 1 }), errors([payload, payload]));
    expect(await importProfiles.poll(call, 'j', [ada, bob])).toMatchObject({ results: [{ key: 'ada@example.com' }], unnamed: 'accepted' });
    const internal = { data: { data: [{ attributes: { code: 'internal_error', title: 'Oops.', original_payload: payload } }] } };
    expect(await importProfiles.poll(canned(job({ status: 'complete', failed_count: 1 }), internal).call, 'j', [ada])).toMatchObject({
      results: [{ status: 'retry' }],
    });
  });

  test('a list of errors without end is given up', async () => {
    const page = errors([], 'https://a.klaviyo.com/x?page%5Bcursor%5D=again');
    const { call, asked } = canned(job({ status: 'complete', failed_count: 1 }), ...Array.from({ length: 500 }, () => page));
    await expect(importProfiles.poll(call, 'j', [ada])).rejects.toMatchObject({ code: 'UNKNOWN', retryable: true });
    expect(asked.length).toBeLessThan(150);
  });

  test.each([{}, { status: 'done' }, { status: 7 }])('%j says nothing of the job', async (attributes) => {
    await expect(importProfiles.poll(canned(job(attributes)).call, 'j', [ada])).rejects.toMatchObject({ code: 'UNKNOWN', retryable: true });
  });
});

describe('against the simulator', () => {
  const base = [{ vendor: 'klaviyo', scope: 'main.profiles' }];
  const { simulator, gate, call } = vendorUnderTest({
    connector: klaviyo,
    simulated,
    credentials: { apiKey: 'pk_sandbox' },
    config: { limits: 'unlimited', jobMs: 10 },
    by: { scopes: base, lane: 'live', sync: 'test' },
    scopesOf: (quota) => [{ vendor: 'klaviyo', scope: `main.${quota}` }],
  });

  test('what is left out keeps its value, null clears it', async () => {
    const [first] = await upsertProfiles.send(call(), [ada]);
    const [second] = await upsertProfiles.send(call(), [{ email: 'ADA@example.com', attributes: { first_name: null }, location: { zip: 'N1' } }]);
    expect(second!.vendorId).toBe(first!.vendorId);
    expect(simulator.stats().byStatus).toEqual({ 200: 1, 201: 1 });
    expect(await readProfiles(call(), ['ada@example.com', 'eve@example.com'])).toMatchObject([
      { key: 'ada@example.com', found: true, attributes: { first_name: null, location: { city: 'London', zip: 'N1' }, properties: { tier: 'gold' } } },
      { key: 'eve@example.com', found: false },
    ]);
  });

  test.each([
    [{ attributes: { phone_number: '0171-123' } }, /^Invalid input: The phone number \*\*\* is not valid \(at \/data\/attributes\/phone_number\)$/],
    [{ attributes: { external_id: 'x'.repeat(256) } }, /external_id/],
    [{ properties: { note: 'x'.repeat(101 * 1024) } }, /100 KB/],
  ])('a profile Klaviyo does not take is rejected, in plain words', async (wrong, cause) => {
    expect(await upsertProfiles.send(call(), [{ email: 'ada@example.com', ...wrong }])).toMatchObject([
      { status: 'rejected', code: 'invalid', cause: expect.stringMatching(cause) },
    ]);
    expect(simulator.records()).toEqual([]);
  });

  test('a job: a bad value refuses its row, a bad address the whole job, too many bytes too', async () => {
    const rows = [ada, { ...bob, attributes: { phone_number: '12' } }];
    const { job } = await importProfiles.submit(call(), rows);
    let state = await importProfiles.poll(call(), job, rows);
    while (state.state === 'running') state = await importProfiles.poll(call(), job, rows);
    expect(state).toMatchObject({ state: 'ended', results: [{ key: 'bob@example.com', status: 'rejected', code: 'invalid' }], unnamed: 'accepted' });
    await expect(importProfiles.submit(call(), [ada, { email: 'bob@example' }])).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringMatching(/at \/data\/attributes\/profiles\/data\/1\/attributes\/email/),
    });
    const heavy = Array.from({ length: 60 }, (_, n) => ({ email: `p${n}@example.com`, properties: { note: 'x'.repeat(95_000) } }));
    await expect(importProfiles.submit(call(), heavy)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(simulator.records().map(({ key }) => key)).toEqual(['ada@example.com']);
  });

  test('membership: looked up under one quota, written under another; who has no profile is told', async () => {
    await upsertProfiles.send(call(), [ada]);
    const both = [{ email: 'ada@example.com' }, { email: 'eve@example.com' }];
    const before = gate.requests.length;
    expect(await addToList(list).send(call(), both)).toMatchObject([
      { status: 'accepted', vendorId: expect.any(String) },
      { status: 'rejected', code: 'NO_PROFILE' },
    ]);
    expect(gate.requests.slice(before).map(({ scopes }) => scopes[0]!.scope)).toEqual(['main.profiles', 'main.lists']);
    expect(simulator.records().filter(({ collection }) => collection === `list:${list}`)).toHaveLength(1);
    expect(await removeFromList(list).send(call(), both)).toMatchObject([{ status: 'accepted' }, { status: 'accepted', code: 'NO_PROFILE' }]);
    expect(simulator.records().filter(({ collection }) => collection === `list:${list}`)).toEqual([]);
    const after = gate.requests.length;
    expect(await removeFromList(list).send(call(), [both[1]!])).toMatchObject([{ status: 'accepted', code: 'NO_PROFILE' }]);
    expect(gate.requests).toHaveLength(after + 1);
  });

  test('membership: no permit for the list in time, and nothing was written', async () => {
    await upsertProfiles.send(call(), [ada]);
    const free = gate.acquire.bind(gate);
    const short = jest.spyOn(gate, 'acquire').mockImplementation((request) => {
      if (request.scopes[0]!.scope !== 'main.lists') return free(request);
      return new Promise((_, reject) => request.signal!.addEventListener('abort', () => reject(request.signal!.reason as Error)));
    });
    const before = simulator.stats().calls;
    const late = addToList(list).send(call({ patience: AbortSignal.timeout(500) }), [{ email: 'ada@example.com' }]);
    await expect(late).rejects.toMatchObject({ code: 'RATE_LIMITED', ambiguous: false, scopes: [{ vendor: 'klaviyo', scope: 'main.lists' }] });
    expect(simulator.stats().calls).toBe(before + 1);
    short.mockRestore();
  });

  test('250 are read in three requests, long addresses in more', async () => {
    const people = Array.from({ length: 250 }, (_, n) => `p${n}@example.com`);
    expect(await readProfiles(call(), [...people, 'P0@Example.com'])).toHaveLength(250);
    expect(gate.ends).toHaveLength(3);
    const long = Array.from({ length: 60 }, (_, n) => `${'x'.repeat(60)}${n}@${'y'.repeat(60)}.${'z'.repeat(60)}.com`);
    expect(await readProfiles(call(), long)).toHaveLength(60);
    expect(gate.ends).toHaveLength(5);
  });

  test('headers speak of the minute of the family asked, and are missing from a 429', async () => {
    simulator.configure({ limits: { BURST: { max: 2 } } });
    for (let n = 0; n < 20 && simulator.stats().byStatus['429'] === undefined; n++) await readProfiles(call(), ['a@b.co']).catch(() => undefined);
    simulator.configure({ limits: 'unlimited' });
    const [first] = gate.ends;
    expect(klaviyo.limitReadings(first!)).toMatchObject([{ limit: 'STEADY', max: 750, remaining: 749 }]);
    const refused = gate.ends.find(({ status }) => status === 429)!;
    expect(refused.rateLimited).toEqual({ retryAfterMs: 1_000, limitName: 'BURST' });
    expect(Object.keys(refused.headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
    expect(refused.headers['content-type']).toMatch(/^application\/vnd\.api\+json/);
  });

  test('a request without revision is refused', async () => {
    await expect(call().get('/api/profiles', { filter: 'any(email,["a@b.co"])' })).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringMatching(/revision/),
    });
  });
});
