import { createServer, type Server } from 'node:http';
import { Pool } from 'pg';
import { createReceiver, nodeHandler } from '../../client';
import { hubspotWebhooks } from '../../connectors/hubspot/webhooks';
import { upsertContacts } from '../../connectors/hubspot/operations/upsert-contacts';
import { createLedger, type Ledger } from '../../ledger';
import { shopCustomer } from '../../schemas/shop-customer';
import { crm } from '../../syncs/accounts';
import { sourceAccount } from '../../syncs/accounts-api';
import { defineSync, skip, to, webhook } from '../../syncs/define-sync';
import { subjects } from '../conformance/webhook-sources';
import { createTestDatabase } from '../support/servers';

const secret = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`;
/** A sync per source that wants one topic; what it does with the event is not the matter here. */
const syncFor = (source: (typeof subjects)[number]['source'], topics: [string, ...string[]]) =>
  defineSync({
    id: `from-${source.vendor}`,
    owner: 'tests',
    on: webhook(sourceAccount(source, { name: 'main' }), ...topics),
    contract: shopCustomer,
    to: to(upsertContacts, { account: crm }),
    map: () => skip('not delivered'),
  });

/** A receiver on node's own server, with a real ledger behind it. */
async function serve(syncs: ReturnType<typeof syncFor>[], ledger: Ledger): Promise<{ server: Server; url: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const receiver = createReceiver({ syncs, inbox: ledger.inbox, secrets: () => [secret], publicUrl: url });
  server.on('request', (request, response) => void nodeHandler(receiver)(request, response));
  return { server, url };
}

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let ledger: Ledger;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase('sources');
  ledger = createLedger({ connectionString: database.url });
  await ledger.migrate();
  pool = new Pool({ connectionString: database.url, max: 2 });
});
afterAll(async () => {
  await pool?.end();
  await ledger?.close();
  await database?.drop();
});

test.each(subjects.map((subject) => [subject.name, subject] as const))(
  '%s: signed delivery, committed row, redelivery counted',
  async (_name, { source, body }) => {
    const request = { method: 'POST', url: '', headers: {}, body };
    const sign = (url: string, now: number) => source.sign({ method: 'POST', url, body, secret, now, topic: 'topic', eventId: 'event-1' });
    // The topic as the source itself reads it, so that the sync wants it.
    const headers = await sign('http://unused', Date.now());
    const events = source.events({ ...request, headers }, JSON.parse(body.toString('utf8')));
    const topics = [...new Set(events.map((event) => event.topic))] as [string, ...string[]];
    const { server, url } = await serve([syncFor(source, topics)], ledger);
    try {
      const path = `/webhooks/${source.vendor}/main`;
      const post = async () => {
        const response = await fetch(url + path, { method: 'POST', body: new Uint8Array(body), headers: await sign(url + path, Date.now()) });
        return { status: response.status, body: await response.json() };
      };
      expect(await post()).toMatchObject({ status: 202, body: { received: events.length, duplicates: 0 } });
      expect((await post()).body).toMatchObject({ duplicates: events.length });
      const { rows } = await pool.query('select count(*)::int as count from syncline.inbox where sync_id = $1', [`from-${source.vendor}`]);
      expect(rows[0].count).toBe(events.length);
    } finally {
      server.close();
    }
  },
);

test('an array of 100 HubSpot events is 100 rows, committed together', async () => {
  const sync = defineSync({
    ...{ id: 'hubspot-array', owner: 'tests', contract: shopCustomer },
    on: webhook(sourceAccount(hubspotWebhooks, { name: 'portal' }), 'contact.creation'),
    to: to(upsertContacts, { account: crm }),
    map: () => skip('not delivered'),
  });
  const { server, url } = await serve([sync], ledger);
  try {
    const body = Buffer.from(
      JSON.stringify(
        Array.from({ length: 100 }, (_, index) => ({
          eventId: index,
          subscriptionId: 1,
          portalId: 62515,
          occurredAt: 1_795_341_600_000,
          subscriptionType: 'contact.creation',
          attemptNumber: 0,
          objectId: 1000 + index,
        })),
      ),
    );
    const target = `${url}/webhooks/hubspot-array`;
    const headers = await hubspotWebhooks.sign({ method: 'POST', url: target, body, secret, now: Date.now(), topic: '', eventId: '' });
    const response = await fetch(target, { method: 'POST', headers, body: new Uint8Array(body) });
    expect(await response.json()).toMatchObject({ received: 100 });
    // One transaction wrote them all: half a delivery can't be acknowledged.
    const { rows } = await pool.query(
      "select count(*)::int as count, count(distinct xmin::text)::int as transactions, count(distinct workflow_id)::int as ids from syncline.inbox where sync_id = 'hubspot-array'",
    );
    expect(rows[0]).toEqual({ count: 100, transactions: 1, ids: 100 });
  } finally {
    server.close();
  }
});
