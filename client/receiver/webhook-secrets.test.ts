import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecrets } from '../../platform/secrets';
import { acmeShop } from '../testing/acme';
import { createWebhookSecrets } from './webhook-secrets';

const variable = 'SYNCLINE_ACME_SHOP_WEBHOOK_SECRET';

test('a rotated file shows within a second, without a restart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'syncline-webhook-'));
  const file = join(folder, 'secret');
  try {
    writeFileSync(file, 'first\n');
    let now = 0;
    const secrets = createWebhookSecrets(createSecrets({ env: { [`${variable}_FILE`]: file }, mode: 'real' }), () => now);
    expect(secrets(acmeShop)).toEqual(['first']);
    writeFileSync(file, 'second,first\n');
    now = 999;
    expect(secrets(acmeShop)).toEqual(['first']);
    now = 1000;
    expect(secrets(acmeShop)).toEqual(['second', 'first']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a missing one and a sandbox one in real mode are errors that name the variable', () => {
  const secretsIn = (env: Record<string, string>) => createWebhookSecrets(createSecrets({ env }));
  expect(() => secretsIn({})(acmeShop)).toThrow(`${variable} is missing`);
  expect(() => secretsIn({ [variable]: 'sandbox-acme-shop-webhook-secret' })(acmeShop)).toThrow(`${variable} holds a sandbox secret`);
});
