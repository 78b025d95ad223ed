import fc from 'fast-check';
import { vendorUnderTest } from '../../../test/conformance/vendor-under-test';
import type { Call, VendorResponse } from '../../connector';
import { VendorError } from '../../errors';
import { errorFrom } from '../errors';
import { hubspot } from '../index';
import { simulated } from '../simulator';
import { readContacts } from './read-contacts';
import { upsertContacts, type UpsertContact } from './upsert-contacts';

const contact = (email: string, properties: Record<string, string> = { firstname: 'Ada' }): UpsertContact => ({ email, properties });
const [ada, bob, cyd] = [contact('Ada@Example.com'), contact('bob@example.com'), contact('cyd@example.com')] as const;

describe('the operation', () => {
  const valid = (input: unknown) => upsertContacts.input.safeParse(input).success;

  test('takes an e-mail address and properties of text', () => {
    expect(valid(ada)).toBe(true);
    expect(valid(contact('a@b.co', { email: ' A@b.CO' }))).toBe(true);
    for (const bad of [{}, contact('not an address'), contact('a@b.co', { email: 'x@y.co' }), { email: 'a@b.co', properties: { n: 1 } }])
      expect(valid(bad)).toBe(false);
  });

  test('the key is the address in lower case', () => {
    expect(upsertContacts.key(ada)).toBe('ada@example.com');
  });

  test('without leaves the other fields, or null', () => {
    const two = contact('a@b.co', { firstname: 'Ada', city: '' });
    expect(upsertContacts.fields(two)).toEqual(['firstname', 'city']);
    expect(upsertContacts.without(two, ['firstname', 'zip'])).toEqual(contact('a@b.co', { city: '' }));
    expect(upsertContacts.without(two, ['city', 'firstname'])).toBeNull();
  });
});

describe('answers HubSpot may give', () => {
  const calling = (answer: Partial<VendorResponse> | Error): Call => {
    const request = () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ status: 200, headers: {}, data: null, ...answer }));
    return { request, get: request, post: request };
  };
  const send = async (data: unknown, status = 200) => {
    const results = await upsertContacts.send(calling({ data, status }), [ada, bob, cyd]);
    return results.map(({ key, status: outcome, code, vendorId }) =>
      [key.split('@')[0], outcome, ...(code ? [code] : []), ...(vendorId ? [vendorId] : [])].join(' '),
    );
  };
  const result = (id: string, more: object = {}) => ({ id, new: false, properties: {}, ...more });
  const error = (context: object | undefined, category = 'VALIDATION_ERROR', message = 'no') => ({
    status: 'error',
    category,
    message,
    ...(context ? { context } : {}),
  });

  test('results by trace id, in any order', async () => {
    expect(
      await send({
        results: [result('30', { objectWriteTraceId: '3' }), result('10', { objectWriteTraceId: '1' }), result('20', { objectWriteTraceId: '2' })],
      }),
    ).toEqual(['ada accepted 10', 'bob accepted 20', 'cyd accepted 30']);
  });

  test('by address when trace ids are missing; HubSpot’s own ids are never taken for trace ids', async () => {
    const results = [result('2', { properties: { email: 'ada@example.com' } }), result('1', { properties: { email: 'BOB@example.com' } }), result('3')];
    expect(await send({ results })).toEqual(['ada accepted 2', 'bob accepted 1', 'cyd retry MISSING_RESULT']);
  });

  test('errors by trace id or address; with others beside them', async () => {
    const errors = [error({ objectWriteTraceId: ['1'] }, 'VALIDATION_ERROR'), error({ ids: ['BOB@example.com'] }, 'CONFLICT')];
    expect(await send({ results: [result('30', { objectWriteTraceId: '3' })], errors, numErrors: 2 }, 207)).toEqual([
      'ada rejected VALIDATION_ERROR',
      'bob rejected CONFLICT',
      'cyd accepted 30',
    ]);
  });

  test('an error that names no record is for all that are not answered otherwise', async () => {
    const expected = ['ada rejected VALIDATION_ERROR', 'bob accepted 20', 'cyd rejected VALIDATION_ERROR'];
    for (const context of [undefined, {}, { ids: ['99'] }, { objectWriteTraceId: ['7'] }]) {
      expect(await send({ results: [result('20', { objectWriteTraceId: '2' })], errors: [error(context)] }, 207)).toEqual(expected);
    }
  });

  test('a record with a result and an error has failed', async () => {
    expect((await send({ results: [result('1', { objectWriteTraceId: '1' })], errors: [error({ objectWriteTraceId: ['1'] })] }, 207))[0]).toBe(
      'ada rejected VALIDATION_ERROR',
    );
  });

  test.each(['RATE_LIMITS', 'INTERNAL_ERROR', 'TIMEOUT', 'LOCKED'])('%s of one record may pass', async (category) => {
    expect((await send({ errors: [error({ objectWriteTraceId: ['1'] }, category)] }, 207))[0]).toBe(`ada retry ${category}`);
  });

  test.each([null, '', [], {}, { results: [], errors: [] }, { results: 'many', errors: {} }, { results: [null, 7], errors: [null] }])(
    '%j is no success',
    async (data) => {
      expect(await send(data)).toEqual(['ada retry MISSING_RESULT', 'bob retry MISSING_RESULT', 'cyd retry MISSING_RESULT']);
    },
  );

  test('always one result for each key, whatever comes', async () => {
    const name = fc.constantFrom('1', '2', '3', 'ada@example.com', 'x', 7, null);
    const answer = fc.record({
      results: fc.array(fc.record({ id: name, objectWriteTraceId: name, properties: fc.record({ email: name }) }, { requiredKeys: [] })),
      errors: fc.array(
        fc.record(
          {
            category: fc.string(),
            message: fc.string(),
            context: fc.record({ objectWriteTraceId: fc.array(name), ids: fc.array(name) }, { requiredKeys: [] }),
          },
          { requiredKeys: [] },
        ),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(answer, fc.jsonValue()), async (data) => {
        const results = await upsertContacts.send(calling({ data }), [ada, bob, cyd]);
        expect(results.map(({ key }) => key)).toEqual([ada, bob, cyd].map((one) => upsertContacts.key(one)));
      }),
    );
  });

  test('causes hold none of the values sent', async () => {
    const errors = [error({ objectWriteTraceId: ['1'] }, 'VALIDATION_ERROR', 'Contact Ada at ada@example.com may not be changed')];
    const [first] = await upsertContacts.send(calling({ data: { errors }, status: 207 }), [ada]);
    expect(first).toMatchObject({ cause: 'Contact *** at *** may not be changed', vendorSaid: errors[0] });
  });

  const refusal = (context?: object, message = 'no') => errorFrom({ status: 400, headers: {}, data: { ...error(context, 'VALIDATION_ERROR', message) } });

  test('a refused batch that names the guilty: the others may go again', async () => {
    const results = await upsertContacts.send(calling(refusal({ ids: ['bob@example.com'] })), [ada, bob, cyd]);
    expect(results.map(({ status, code }) => `${status} ${code}`)).toEqual(['retry BATCH_REFUSED', 'rejected VALIDATION_ERROR', 'retry BATCH_REFUSED']);
  });

  test.each([
    ['names nobody', undefined, 'no'],
    ['names all', { objectWriteTraceId: ['1', '2', '3'] }, 'no'],
    ['is about two addresses of one contact', { ids: ['bob@example.com'] }, 'Duplicate IDs found in batch input: [101]. IDs must be unique'],
  ])('a refused batch that %s is the caller’s to bisect', async (_name, context, message) => {
    await expect(upsertContacts.send(calling(refusal(context, message)), [ada, bob, cyd])).rejects.toMatchObject({
      code: 'INVALID',
      status: 400,
    });
  });

  test('any other failure passes through', async () => {
    const down = new VendorError({ code: 'UNAVAILABLE', status: 503, message: 'down' });
    await expect(upsertContacts.send(calling(down), [ada])).rejects.toBe(down);
  });
});

describe('against the simulator', () => {
  const { simulator, gate, call } = vendorUnderTest({ connector: hubspot, simulated, credentials: { token: 'sandbox-token' } });
  beforeEach(() => simulator.configure({ properties: [] }));

  test.each([
    [{ nope: 'x' }, 'PROPERTY_DOESNT_EXIST', 'property nope does not exist in this account'],
    [{ lifecyclestage: 'Ada' }, 'INVALID_OPTION', 'property lifecyclestage has a value that is not one of its options'],
    [{ createdate: '1' }, 'READ_ONLY_VALUE', 'property createdate is read-only'],
    [{ annualrevenue: 'Ada' }, 'INVALID_INTEGER', 'property annualrevenue has a value that is not a whole number'],
    [{ closedate: 'Ada' }, 'INVALID_DATE', 'property closedate has a value that is not a date'],
  ])('%j is refused alone, in plain words', async (properties, code, cause) => {
    const results = await upsertContacts.send(call(), [contact('ada@example.com', properties), bob]);
    expect(results[0]).toMatchObject({ status: 'rejected', code, cause });
    expect(results[1]).toMatchObject({ status: 'accepted' });
    expect(simulator.records().map(({ key }) => key)).toEqual(['bob@example.com']);
  });

  test('an address HubSpot does not take', async () => {
    expect(await upsertContacts.send(call(), [contact('ada@example.c')])).toMatchObject([{ status: 'rejected', code: 'INVALID_EMAIL' }]);
  });

  test('properties an account adds are known', async () => {
    simulator.configure({ properties: ['loyalty_tier'] });
    expect(await upsertContacts.send(call(), [contact('a@b.co', { loyalty_tier: 'gold' })])).toMatchObject([{ status: 'accepted' }]);
  });

  test('properties left out keep their value, empty ones are cleared', async () => {
    await upsertContacts.send(call(), [contact('a@b.co', { firstname: 'Ada', city: 'Köln' })]);
    await upsertContacts.send(call(), [contact('A@B.co', { city: '' })]);
    expect(await readContacts(call(), ['a@b.co'], ['firstname', 'city'])).toMatchObject([{ found: true, properties: { firstname: 'Ada', city: null } }]);
    expect(simulator.records()).toMatchObject([{ key: 'a@b.co', version: 2 }]);
  });

  test('the same address twice in one call is refused as a whole, and so is a batch without trace ids and one bad record', async () => {
    await expect(upsertContacts.send(call(), [ada, contact('ADA@example.com')])).rejects.toMatchObject({ code: 'INVALID', status: 400 });
    const inputs = [ada, contact('b@b.co', { nope: 'x' })].map(({ email, properties }) => ({ id: email, idProperty: 'email', properties }));
    await expect(call().post('/crm/v3/objects/contacts/batch/upsert', { inputs })).rejects.toMatchObject({
      vendorCode: 'PROPERTY_DOESNT_EXIST',
    });
    expect(simulator.records()).toEqual([]);
  });

  test('reads back 250 in three requests, missing ones named', async () => {
    const contacts = Array.from({ length: 100 }, (_, n) => contact(`person${n}@example.com`));
    const written = await upsertContacts.send(call(), contacts);
    const before = gate.ends.length;
    const asked = Array.from({ length: 250 }, (_, n) => `Person${n}@example.com`);
    const read = await readContacts(call(), [...asked, asked[0]!], ['firstname']);
    expect(gate.ends.length - before).toBe(3);
    expect(read).toHaveLength(250);
    expect(read.filter(({ found }) => found)).toHaveLength(100);
    expect(read[7]).toMatchObject({
      key: 'person7@example.com',
      found: true,
      vendorId: written.find(({ key }) => key === 'person7@example.com')!.vendorId,
      properties: { firstname: 'Ada' },
    });
    expect(read[249]).toEqual({ key: 'person249@example.com', found: false });
  });

  test('a contact is found by its second address', async () => {
    await upsertContacts.send(call(), [contact('a@b.co', { hs_additional_emails: 'old@b.co;Other@b.co' })]);
    const data = (
      await call().post('/crm/v3/objects/contacts/batch/read', {
        idProperty: 'email',
        properties: ['email', 'hs_additional_emails'],
        inputs: [{ id: 'a@b.co' }],
      })
    ).data;
    const canned: Call = {
      request: () => Promise.reject(new Error()),
      get: () => Promise.reject(new Error()),
      post: () => Promise.resolve({ status: 200, headers: {}, data }),
    };
    expect(await readContacts(canned, ['other@b.co'])).toMatchObject([{ key: 'other@b.co', found: true }]);
  });

  test('one contact by address or id', async () => {
    const [written] = await upsertContacts.send(call(), [ada]);
    const byEmail = await call().get('/crm/v3/objects/contacts/ada%40example.com', { idProperty: 'email', properties: 'firstname' });
    const byId = await call().get(`/crm/v3/objects/contacts/${written!.vendorId}`);
    expect(byEmail.data).toMatchObject({ id: written!.vendorId, properties: { firstname: 'Ada', email: 'ada@example.com' } });
    expect(byId.data).toMatchObject({ id: written!.vendorId });
    await expect(call().get('/crm/v3/objects/contacts/1')).rejects.toMatchObject({ code: 'NOT_FOUND', vendorCode: 'OBJECT_NOT_FOUND' });
  });
});
