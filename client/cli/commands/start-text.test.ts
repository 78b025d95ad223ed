import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createColors } from 'picocolors';
import { shopify } from '../../../connectors/shopify/webhooks';
import { sandboxSecret } from '../../../platform/secrets';
import { syncs } from '../../../syncs';
import { sandboxSecrets } from '../../sandbox/environment';
import { funnelView } from '../../sandbox/funnel';
import { services } from '../../sandbox/service-ports';
import type { Terminal } from '../terminal';
import { funnelLine, funnelText, handSignedWebhook } from './start-text';

const terminal: Terminal = { line: () => undefined, note: () => undefined, columns: 100, colours: createColors(false), now: Date.now };

test('the line to paste makes a webhook whose signature is right', async () => {
  // A curl that prints its arguments instead of sending them.
  const script = `curl() { printf '%s\\n' "$@"; }; ${handSignedWebhook('http://127.0.0.1:8080')}`;
  const args = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n');
  const after = (flag: string) => args.filter((_, index) => args[index - 1] === flag);
  const headers = Object.fromEntries(after('-H').map((header) => header.split(/: (.*)/s) as [string, string]));
  const body = Buffer.from(after('-d')[0] ?? '');
  const request = { method: 'POST', url: '', headers, body };
  const secrets = [sandboxSecret('SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET')];
  expect(await shopify.verify(request, { secrets, now: Date.now() })).toEqual({ ok: true });
  expect(shopify.events(request, JSON.parse(body.toString()) as never)).toMatchObject([{ topic: 'customers/update' }]);
});

const view = funnelView(
  [
    {
      syncId: 'a-sync',
      received: 4,
      duplicates: 1,
      waitingToStart: 0,
      running: 1,
      outcomes: { accepted: 1, skipped: 1, rejected: 1 },
      findings: {},
      causes: [
        { outcome: 'skipped', code: 'SKIPPED_BY_MAPPING', count: 1 },
        { outcome: 'rejected', code: 'INVALID_EMAIL', count: 1 },
      ],
    },
    { syncId: 'b-sync', received: 1, duplicates: 0, waitingToStart: 0, running: 0, outcomes: { accepted: 1 }, findings: {}, causes: [] },
  ],
  [{ syncId: null, source: 'shopify', account: 'shop', reason: 'bad_signature', count: 2 }],
);

test('the funnel as a table has each exit with its reason, per sync and in sum', () => {
  expect(
    funnelText(terminal, view)
      .split('\n')
      .map((line) => line.trim().replaceAll(/ {2,}/g, ' | ')),
  ).toEqual([
    'sync | received | valid | mapped | delivered | open | left by',
    'a-sync | 4 | 3 | 2 | 1 | 1 | 1 skipped (SKIPPED_BY_MAPPING)',
    '1 rejected (INVALID_EMAIL)',
    'b-sync | 1 | 1 | 1 | 1 | 0',
    'all | 5 | 4 | 3 | 2 | 1 | 1 rejected (INVALID_EMAIL)',
    '1 skipped (SKIPPED_BY_MAPPING)',
    'stayed at the door: 1 duplicate, 2 bad_signature',
  ]);
});

test('and in one line', () => {
  expect(funnelLine(view)).toBe(
    'received 5 → valid 4 → mapped 3 → delivered 2, open 1; left by: 1 rejected (INVALID_EMAIL), 1 skipped (SKIPPED_BY_MAPPING), 1 duplicate at the door, 2 bad_signature at the door',
  );
});

test('docs/sandbox.md has the same line and the same secrets', () => {
  const docs = readFileSync(path.resolve(__dirname, '../../../docs/sandbox.md'), 'utf8');
  expect(docs).toContain(handSignedWebhook('http://127.0.0.1:8080'));
  for (const { variable, value } of sandboxSecrets(syncs)) expect(docs).toContain(`| \`${variable}\` | \`${value}\` |`);
  for (const { env, default: port } of Object.values(services)) expect(docs).toMatch(new RegExp(`\\| ${port || 'any free one'} \\| \`${env}\``));
});
