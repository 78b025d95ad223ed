import { shopify } from '../../connectors/shopify/webhooks';
import { customerBody, startStack, type Stack } from '../support/stack';

jest.setTimeout(120_000);
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ name: 'main-job' });
});
afterAll(() => stack?.stop());

test('a signed Shopify event becomes a contact in HubSpot', async () => {
  const answer = await stack.post('/webhooks/shop-customer-to-crm', shopify, 'customers/update', 'e-1', customerBody('ada@example.com'));
  expect(answer.status).toBe(202);
  expect(await stack.settled(1)).toEqual({ accepted: 1 });
  const [record] = await stack.hubspot.records();
  expect(record).toMatchObject({ key: 'ada@example.com', properties: { firstname: 'Ada' } });
});
