import { vendorUnderTest } from '../../../test/conformance/vendor-under-test';
import type { Call } from '../../connector';
import { marketo } from '../index';
import { simulated } from '../simulator';
import { upsertLeads, type UpsertLead } from './upsert-leads';

const lead = (email: string, fields: UpsertLead['fields'] = { firstName: 'Ada' }): UpsertLead => ({ email, fields });
const batch = [lead('Ada@Example.com'), lead('bob@example.com'), lead('cyd@example.com')];

test('takes an address and fields that do not touch it', () => {
  const valid = (input: unknown) => upsertLeads.input.safeParse(input).success;
  expect(valid(lead('a@b.co', { leadScore: 7, unsubscribed: true, title: null }))).toBe(true);
  for (const bad of [lead('no address'), lead('a@b.co', { Email: 'x@y.co' }), lead('a@b.co', { id: 7 }), lead('a@b.co', { 'a b': 'x' }), {}]) {
    expect(valid(bad)).toBe(false);
  }
  expect(upsertLeads.key(batch[0]!)).toBe('ada@example.com');
});

describe('answers Marketo may give', () => {
  const send = async (data: unknown) => {
    const request = () => Promise.resolve({ status: 200, headers: {}, data });
    const call: Call = { request, get: request, post: request };
    const results = await upsertLeads.send(call, batch);
    return results.map(({ key, status, code, vendorId }) => [key.split('@')[0], status, code ?? vendorId].join(' '));
  };
  const answer = (...result: unknown[]) => ({ requestId: 'e42b#14272d07d78', success: true, result });
  const good = (id: number) => ({ id, status: id % 2 ? 'created' : 'updated' });
  const skipped = (...codes: string[]) => ({ status: 'skipped', reasons: codes.map((code) => ({ code, message: 'no' })) });
  const missing = ['ada', 'bob', 'cyd'].map((key) => `${key} retry MISSING_RESULT`);

  test('each lead by its place', async () => {
    expect(await send(answer(good(1), skipped('1007'), good(4)))).toEqual(['ada accepted 1', 'bob rejected 1007', 'cyd accepted 4']);
  });

  test('what may pass is tried again, of that lead alone; a permanent reason outweighs it, none at all is not permanent', async () => {
    expect(await send(answer(skipped('713'), skipped('719', '1006'), skipped()))).toEqual(['ada retry 713', 'bob rejected 1006', 'cyd retry SKIPPED']);
  });

  test('an entry that says nothing of its lead is missing', async () => {
    expect(await send(answer(null, { status: 'created' }, { id: 3, status: 'queued' }))).toEqual(missing);
  });

  test.each([null, '', {}, [], answer(), answer(good(1)), answer(good(1), good(2), good(3), good(4)), { success: true, result: 'many' }])(
    '%j has lost the places: nobody has landed',
    async (data) => {
      expect(await send(data)).toEqual(missing);
    },
  );

  test('causes hold none of the values sent', async () => {
    const request = () =>
      Promise.resolve({
        status: 200,
        headers: {},
        data: answer({ status: 'skipped', reasons: [{ code: '1001', message: 'Ada <ada@example.com>: firstName' }] }),
      });
    const [first] = await upsertLeads.send({ request, get: request, post: request }, [batch[0]!]);
    expect(first!.cause).toBe('*** <***>: firstName');
  });
});

describe('against the simulator', () => {
  const { simulator, call } = vendorUnderTest({ connector: marketo, simulated, credentials: { clientId: 'client', clientSecret: 'secret-0123456789' } });
  beforeEach(() => simulator.configure({ limits: 'unlimited', latencyMs: 0 }));

  test('created, then updated; null clears, a field left out keeps its value', async () => {
    const [created] = await upsertLeads.send(call(), [lead('Ada@Example.com', { firstName: 'Ada', title: 'Countess' })]);
    const [updated] = await upsertLeads.send(call(), [lead('ada@example.com', { title: null, leadScore: 7 })]);
    expect(updated).toEqual({ ...created, key: 'ada@example.com' });
    expect(simulator.records()).toMatchObject([{ key: 'ada@example.com', version: 2, properties: { firstName: 'Ada', title: '', leadScore: '7' } }]);
  });

  test.each([
    [lead('ada@example.com', { nope: 'x' }), '1006', 'Field'],
    [lead('adä@example.com'), '1001', 'Invalid value'],
  ])('%j is skipped alone', async (bad, code, cause) => {
    expect(await upsertLeads.send(call(), [bad, lead('bob@example.com')])).toMatchObject([
      { status: 'rejected', code, cause: expect.stringContaining(cause) as string },
      { status: 'accepted' },
    ]);
    expect(simulator.records().map(({ key }) => key)).toEqual(['bob@example.com']);
  });

  test('over 1 MB: a real 413, which makes the batch be halved', async () => {
    const large = Array.from({ length: 110 }, (_, n) => lead(`person${n}@example.com`, { address: 'x'.repeat(10_000) }));
    await expect(upsertLeads.send(call(), large)).rejects.toMatchObject({ code: 'TOO_LARGE', status: 413 });
  });

  test('a full batch of bytes fits', async () => {
    const one = lead('person000@example.com', { address: 'x'.repeat(3_300) });
    const most = Math.floor(upsertLeads.maxBatchBytes / JSON.stringify(one).length);
    const leads = Array.from({ length: most }, (_, n) => ({ ...one, email: `person${String(n).padStart(3, '0')}@example.com` }));
    expect(most).toBeGreaterThan(290);
    expect(await upsertLeads.send(call(), leads)).toHaveLength(most);
  });

  test('the eleventh call at once is refused inside a 200, and the login counts by no limit', async () => {
    await upsertLeads.send(call(), batch);
    simulator.reset();
    simulator.configure({ limits: 'declared', latencyMs: 300 });
    const ended = await Promise.allSettled(Array.from({ length: 11 }, () => upsertLeads.send(call(), batch)));
    const refused = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(refused).toMatchObject([{ code: 'RATE_LIMITED', limitName: 'CONCURRENT_CALLS', status: 200, vendorCode: '615' }]);
    expect(simulator.stats()).toMatchObject({ byStatus: { 200: 11 }, overLimit: { CONCURRENT_CALLS: 1 } });
    simulator.configure({ limits: { CALLS_PER_20_SECONDS: { max: 0 } }, tokens: ['renewed'], latencyMs: 0 });
    await expect(upsertLeads.send(call(), batch)).rejects.toMatchObject({ vendorCode: '606' });
    simulator.configure({ tokens: null });
  });
});
