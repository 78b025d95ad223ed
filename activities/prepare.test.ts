import { sampleEvent } from '../test/support/sample-run';
import shopCustomerToCrm from '../syncs/shop-customer-to-crm/sync';
import signupToCrm from '../syncs/signup-to-crm/sync';
import { prepareRecord } from './prepare';

const hmac = (key: string): string => `hmac(${key})`;
const prepare = (body: unknown, sync = shopCustomerToCrm) => prepareRecord(sync, { event: sampleEvent({ body: body as never }), enrichment: null }, hmac);
const ada = { id: 1, email: 'Ada@Example.com', first_name: 'Ada', last_name: null, updated_at: '2026-11-22T10:00:00Z' };

describe('prepare', () => {
  test('ready: mapped, keyed in the vendor’s normal form, versioned', () => {
    expect(prepare(ada)).toMatchObject({
      kind: 'ready',
      record: {
        key: 'ada@example.com',
        keyHmac: 'hmac(ada@example.com)',
        fields: ['firstname', 'lastname'],
        version: sampleEvent().version,
        input: { properties: { firstname: 'Ada', lastname: '' } },
      },
    });
  });

  test('skipped: the mapping’s reason', () => {
    expect(prepare({ ...ada, email: null })).toEqual({ kind: 'skipped', reason: 'the customer has no e-mail' });
  });

  test('invalid: field, expected, found, and no value of the event', () => {
    const result = prepare({ ...ada, email: 'not an address', first_name: 7, updated_at: undefined });
    expect(result).toMatchObject({
      kind: 'invalid',
      code: 'CONTRACT_VIOLATION',
      violations: [
        { field: 'email', expected: 'string (email)', found: 'a string of another form' },
        { field: 'first_name', expected: 'string', found: 'number' },
        { field: 'updated_at', expected: 'string', found: 'missing' },
      ],
    });
    expect(JSON.stringify(result)).not.toContain('not an address');
  });

  test('invalid: a body that is not an object at all', () => {
    expect(prepare([1, 2])).toMatchObject({ kind: 'invalid', violations: [{ field: '', expected: 'object', found: 'array' }] });
  });

  test('failed: the mapping threw; its words are masked', () => {
    const broken = {
      ...shopCustomerToCrm,
      map: () => {
        throw new Error('no rule for ada@example.com');
      },
    };
    const result = prepare(ada, broken);
    expect(result).toMatchObject({ kind: 'failed', code: 'MAPPING_ERROR' });
    expect(JSON.stringify(result)).not.toContain('ada@example.com');
  });

  test('invalid: mapped to what the target does not take', () => {
    const wrong = { ...shopCustomerToCrm, map: () => ({ email: 'nope', properties: {} }) };
    expect(prepare(ada, wrong)).toMatchObject({ kind: 'invalid', code: 'TARGET_VIOLATION', violations: [{ field: 'email' }] });
  });

  test('invalid: a record larger than one call may be, with its size', () => {
    const huge = { ...shopCustomerToCrm, map: () => ({ email: 'a@example.com', properties: { firstname: 'x'.repeat(2_000_000) } }) };
    expect(prepare(ada, huge)).toMatchObject({
      kind: 'invalid',
      code: 'RECORD_TOO_LARGE',
      cause: expect.stringMatching(/has 2000\d+ bytes; contacts\.upsert takes at most \d+/),
    });
  });

  test('enrichment: its value is mapped; without it the sync’s fallback', () => {
    const event = sampleEvent({ body: { type: 'signup.completed', timestamp: '2026-11-22T10:00:00Z', data: { customer_id: 'c-1', email: 'a@example.com' } } });
    const withScore = prepareRecord(signupToCrm, { event, enrichment: { fallback: false, value: { score: 71 }, tookMs: 3 } }, hmac);
    const without = prepareRecord(signupToCrm, { event, enrichment: { fallback: true, cause: 'too slow', tookMs: 1_000 } }, hmac);
    expect(withScore).toMatchObject({ record: { input: { properties: { lead_score: '71' } } } });
    expect(without.kind === 'ready' && Object.keys((without.record.input as { properties: object }).properties)).toEqual(['company']);
  });
});
