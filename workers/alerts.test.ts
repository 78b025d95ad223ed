import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { freePort } from '../platform/free-port';
import type { BudgetAlert } from '../workflows/budget/alerts';
import { createAlerts, type AlertMessage } from './alerts';
import { loadWorkerConfig } from './config';

const alert = (change: Partial<BudgetAlert> = {}): BudgetAlert => ({
  id: 'DAILY/2026-11-22T12:00:00.000Z/1',
  kind: 'high',
  at: '2026-11-22T12:00:00.000Z',
  window: 'DAILY',
  windowMs: 86_400_000,
  used: 700,
  limit: 1_000,
  spentInMs: 3 * 3_600_000,
  startsAnewMs: 12 * 3_600_000,
  spenders: [{ sync: 'shop-customer-to-crm', lane: 'live', units: 650 }],
  ...change,
});

function logged() {
  const lines: any[] = [];
  return { lines, log: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }) };
}

describe('with a receiver', () => {
  let server: Server;
  let url: string;
  let got: AlertMessage[];
  let statuses: number[];
  beforeEach(async () => {
    got = [];
    statuses = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const status = statuses.shift() ?? 204;
        if (status < 300) got.push(JSON.parse(body));
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/s3cret-token`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  test('one line in the log and one POST, with an id, numbers and a sentence', async () => {
    const { lines, log } = logged();
    await createAlerts({ webhook: url, log })('hubspot/main', alert());
    expect(got).toEqual([
      {
        ...alert(),
        id: 'hubspot/main/DAILY/2026-11-22T12:00:00.000Z/1',
        budget: 'hubspot/main',
        text: 'hubspot/main: DAILY is at 70 % (700 of 1000); at this pace spent in about 3 h; starts anew in 12 h. Today: shop-customer-to-crm (live) 650',
      },
    ]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 40, msg: 'a budget window is used to 70 % or more', budget: 'hubspot/main', window: 'DAILY' });
  });

  test('a receiver that fails is asked again; recovery waits its turn; the address is in no line', async () => {
    statuses = [500, 503, 204];
    const { lines, log } = logged();
    const tell = createAlerts({ webhook: url, log, waits: [1, 1, 1] });
    await Promise.all([tell('hubspot/main', alert()), tell('hubspot/main', alert({ id: 'DAILY/later/2', kind: 'recovered', used: 10 }))]);
    expect(got.map(({ kind }) => kind)).toEqual(['high', 'recovered']);
    expect(lines.map(({ msg }) => msg)).toEqual([
      'a budget window is used to 70 % or more',
      'a budget window has recovered',
      'the alert webhook does not take a message; it is tried again',
    ]);
    expect(JSON.stringify(lines)).not.toContain('s3cret-token');
  });

  test('one that never takes it: rejected, so that the budget hands it out again; a redirect is not followed', async () => {
    statuses = [307, 500, 500];
    const { lines, log } = logged();
    await expect(createAlerts({ webhook: url, log, waits: [1, 1] })('hubspot/main', alert())).rejects.toThrow('500');
    expect(got).toEqual([]);
    expect(JSON.stringify(lines)).not.toContain('s3cret-token');
  });

  test('handed out twice meanwhile: one line, one POST', async () => {
    const { lines, log } = logged();
    const tell = createAlerts({ webhook: url, log });
    await Promise.all([tell('hubspot/main', alert()), tell('hubspot/main', alert({ again: true }))]);
    expect([got.length, lines.length]).toEqual([1, 1]);
  });
});

test('without a receiver there is the line, and it counts as delivered', async () => {
  const { lines, log } = logged();
  await createAlerts({ log })('hubspot/main', alert({ kind: 'recovered' }));
  expect(lines).toMatchObject([{ level: 30, msg: 'a budget window has recovered' }]);
});

test('nobody listens there: said without the address', async () => {
  const { lines, log } = logged();
  const port = await freePort();
  await expect(createAlerts({ webhook: `http://127.0.0.1:${port}/s3cret-token`, log, waits: [] })('hubspot/main', alert())).rejects.toThrow('ECONNREFUSED');
  expect(JSON.stringify(lines)).not.toContain('s3cret-token');
});

test('SYNCLINE_ALERT_WEBHOOK_URL that is no address is refused at start, without its value', () => {
  const before = process.env['SYNCLINE_ALERT_WEBHOOK_URL'];
  process.env['SYNCLINE_ALERT_WEBHOOK_URL'] = 'hooks.example.com/s3cret-token';
  try {
    expect(() => loadWorkerConfig()).toThrow(/SYNCLINE_ALERT_WEBHOOK_URL is not usable; expected an address that takes JSON by POST/);
    expect(() => loadWorkerConfig()).not.toThrow(/s3cret-token/);
  } finally {
    if (before === undefined) delete process.env['SYNCLINE_ALERT_WEBHOOK_URL'];
    else process.env['SYNCLINE_ALERT_WEBHOOK_URL'] = before;
  }
});
