import { vendorUnderTest } from '../../../test/conformance/vendor-under-test';
import type { Call } from '../../connector';
import { salesforce } from '../index';
import { simulated } from '../simulator';
import { upsertContacts } from './contacts';
import type { SObjectRow } from './rows';
import { upsertSObjects } from './upsert-sobjects';

const row = (externalId: string, fields: SObjectRow['fields'] = { LastName: 'Lovelace' }): SObjectRow => ({ externalId, fields });

describe('the operation', () => {
  const valid = (input: unknown) => upsertContacts.input.safeParse(input).success;

  test('takes an external id and fields of the object itself', () => {
    expect(valid(row('A-1', { LastName: 'x', Score__c: 7, HasOptedOutOfEmail: true, Title: null }))).toBe(true);
    const bad: unknown[] = [row('  '), row('A-1', { id: '003' }), row('A-1', { attributes: 'x' }), row('A-1', { external_id__c: 'B-2' })];
    for (const input of [...bad, row('A-1', { 'Account.Name': 'x' }), { externalId: 'A-1', fields: { Title: {} } }, {}]) expect(valid(input)).toBe(false);
  });

  test('the key has no case, unless the field has', () => {
    const target = { object: 'Lead', externalId: 'Ext__c', name: 'leads.upsert' };
    expect(upsertContacts.key(row(' Shop-1 '))).toBe('shop-1');
    expect(upsertSObjects({ ...target, caseSensitive: true }).key(row(' Shop-1 '))).toBe('Shop-1');
    expect(upsertSObjects(target)).toMatchObject({ name: 'leads.upsert', object: 'Lead', maxBatch: 200, resend: 'safe' });
  });

  test.each([
    ['Contact/../x', 'Ext__c'],
    ['Contact', 'Ext__c?x'],
    ['', 'Ext__c'],
  ])('%j by %j is no name of a path', (object, externalId) => {
    expect(() => upsertSObjects({ object, externalId, name: 'x' })).toThrow('API name');
  });
});

describe('answers Salesforce may give', () => {
  const send = async (data: unknown) => {
    const request = () => Promise.resolve({ status: 200, headers: {}, data });
    const call: Call = { request, get: request, post: request };
    const results = await upsertContacts.send(call, [row('a', { LastName: 'Lovelace' }), row('b'), row('c')]);
    return results.map(({ key, status, code, vendorId }) => [key, status, code ?? vendorId].join(' '));
  };
  const good = (id: string) => ({ id, success: true, errors: [], created: false });
  const bad = (statusCode: string, message = 'no') => ({ success: false, errors: [{ statusCode, message, fields: [] }] });
  const missing = ['a', 'b', 'c'].map((key) => `${key} retry MISSING_RESULT`);

  test('each record by its place', async () => {
    expect(await send([good('1'), bad('DUPLICATES_DETECTED'), good('3')])).toEqual(['a accepted 1', 'b rejected DUPLICATES_DETECTED', 'c accepted 3']);
  });

  test('an entry that says nothing of its record is missing', async () => {
    expect(await send([null, { success: true }, good('3')])).toEqual([missing[0], missing[1], 'c accepted 3']);
  });

  test.each([null, '', {}, [], [good('1')], [good('1'), good('2'), good('3'), good('4')], { results: [good('1'), good('2'), good('3')] }])(
    '%j has lost the places: nobody has landed',
    async (data) => {
      expect(await send(data)).toEqual(missing);
    },
  );

  test.each([
    ['UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record', 'retry'],
    ['CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'Too many SOQL queries: 101', 'retry'],
    ['CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'NullPointerException', 'rejected'],
    ['FIELD_CUSTOM_VALIDATION_EXCEPTION', 'no', 'rejected'],
  ])('%s (%s): %s, of that record alone', async (code, message, status) => {
    expect(await send([good('1'), bad(code, message), good('3')])).toEqual(['a accepted 1', `b ${status} ${code}`, 'c accepted 3']);
  });

  test('a permanent error outweighs a passing one; none at all is not permanent', async () => {
    const both = { success: false, errors: [...bad('UNABLE_TO_LOCK_ROW').errors, ...bad('ENTITY_IS_DELETED').errors] };
    expect(await send([both, { success: false, errors: [] }, good('3')])).toEqual(['a rejected ENTITY_IS_DELETED', 'b retry UNKNOWN', 'c accepted 3']);
  });

  test('causes hold none of the values sent', async () => {
    const request = () => Promise.resolve({ status: 200, headers: {}, data: [bad('X', 'Lovelace (no-7) may not use LastName')] });
    const [first] = await upsertContacts.send({ request, get: request, post: request }, [row('no-7')]);
    expect(first!.cause).toBe('*** (***) may not use LastName');
  });
});

describe('against the simulator', () => {
  const { simulator, call } = vendorUnderTest({ connector: salesforce, simulated, credentials: { clientId: 'client', clientSecret: 'secret' } });

  test.each([
    [{ LastName: 'x', Nope__c: 'y' }, 'INVALID_FIELD', 'No such column "Nope__c"'],
    [{ FirstName: 'Ada' }, 'REQUIRED_FIELD_MISSING', 'LastName'],
    [{ LastName: 'x', Email: 'ada@' }, 'INVALID_EMAIL_ADDRESS', '***'],
  ])('%j is refused alone', async (fields, code, cause) => {
    const results = await upsertContacts.send(call(), [row('A-1', fields), row('B-2')]);
    expect(results).toMatchObject([{ key: 'a-1', status: 'rejected', code }, { status: 'accepted' }]);
    expect(results[0]!.cause!.replaceAll("'", '"')).toContain(cause);
    expect(simulator.records().map(({ key }) => key)).toEqual(['b-2']);
  });

  test('the id keeps the case it was written in; null clears, a field left out keeps its value', async () => {
    await upsertContacts.send(call(), [row('Shop-1', { LastName: 'Lovelace', Title: 'Countess', Phone: '1' })]);
    await upsertContacts.send(call(), [row('SHOP-1 ', { Title: null })]);
    expect(simulator.records()).toMatchObject([
      { key: 'shop-1', version: 2, properties: { LastName: 'Lovelace', Title: '', Phone: '1', External_Id__c: 'SHOP-1' } },
    ]);
  });

  test('the same id twice in one call: the second is refused', async () => {
    expect(await upsertContacts.send(call(), [row('A'), row('A ')])).toMatchObject([{ status: 'accepted' }, { status: 'rejected', code: 'DUPLICATE_VALUE' }]);
  });

  test('an object or field the org does not have', async () => {
    for (const [object, externalId] of [
      ['Nope__c', 'Ext__c'],
      ['Contact', 'Nope__c'],
    ] as const) {
      const operation = upsertSObjects({ object, externalId, name: 'x' });
      await expect(operation.send(call(), [row('A')])).rejects.toMatchObject({ code: 'NOT_FOUND', vendorCode: 'NOT_FOUND' });
    }
  });

  test('the header tells what is left of the org’s day', async () => {
    simulator.configure({ limits: 'declared', plan: 'developer' });
    const { headers } = await call().request({
      method: 'PATCH',
      path: '/services/data/v65.0/composite/sobjects/Contact/External_Id__c',
      body: { records: [{ attributes: { type: 'Contact' }, LastName: 'x', External_Id__c: '1' }] },
    });
    expect(headers['sforce-limit-info']).toBe('api-usage=1/15000');
    expect(salesforce.limitReadings({ headers })).toEqual([{ limit: 'DAILY_API_REQUESTS', max: 15_000, remaining: 14_999 }]);
    simulator.configure({ limits: 'unlimited' });
  });
});
