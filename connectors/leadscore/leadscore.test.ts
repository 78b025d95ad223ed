import { countingGate } from '../../test/conformance/counting-gate';
import { createVendorHttp, type VendorHttp } from '../http';
import { createSimulator, type Simulator } from '../simulator';
import { leadScore, leadscore } from './index';
import { simulated } from './simulator';

let simulator: Simulator;
let http: VendorHttp;
const call = () => http.call({ scopes: [], lane: 'live', sync: 'test' });

beforeAll(async () => {
  simulator = createSimulator(simulated, { limits: 'unlimited' });
  const { url } = await simulator.listen();
  http = createVendorHttp({
    connector: leadscore,
    baseUrl: url,
    credentials: () => Promise.resolve({ apiKey: 'sandbox-key' }),
    gate: countingGate(),
  });
});
beforeEach(() => simulator.reset());
afterAll(async () => {
  http.close();
  await simulator.close();
});

test('the same customer has the same score, between 0 and 100', async () => {
  const scores = await Promise.all(['c-1', 'c-1', 'c-2'].map((customerId) => leadScore.fetch(call(), { customerId })));
  expect(scores[0]).toEqual(scores[1]);
  for (const { score } of scores) expect(score >= 0 && score <= 100).toBe(true);
});

test('only the id leaves, whatever the caller holds', async () => {
  const post = jest.fn(() => Promise.resolve({ status: 200, headers: {}, data: { score: 1 } }));
  const person = { customerId: 'c-1', email: 'ada@example.com' };
  await leadScore.fetch({ request: post, get: post, post }, person);
  expect(post.mock.calls).toEqual([['/v1/score', { customerId: 'c-1' }]]);
});

test.each([{}, { score: 'high' }, { score: null }, [], 'x'])('an answer of %j is not a score', async (body) => {
  simulator.addFault({ kind: 'status', status: 200, body });
  await expect(leadScore.fetch(call(), { customerId: 'c-1' })).rejects.toMatchObject({ code: 'UNKNOWN' });
});

test('an empty question is refused', async () => {
  await expect(leadScore.fetch(call(), { customerId: '' })).rejects.toMatchObject({ code: 'INVALID', vendorCode: 'BAD_REQUEST' });
});

test('429 carries its wait', async () => {
  simulator.addFault({ kind: 'rateLimit' });
  await expect(leadScore.fetch(call(), { customerId: 'c-1' })).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    retryAfterMs: 1_000,
    limitName: 'SECOND',
  });
});
