import { vendorUnderTest } from '../../test/conformance/vendor-under-test';
import { leadScore, leadscore } from './index';
import { simulated } from './simulator';

const { simulator, call } = vendorUnderTest({ connector: leadscore, simulated, credentials: { apiKey: 'sandbox-key' } });

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
