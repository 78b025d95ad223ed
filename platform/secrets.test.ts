import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecrets, isSandboxSecret, modeOf, readSecret, sandboxSecret, sandboxStandardWebhooksSecret } from './secrets';

const folder = mkdtempSync(join(tmpdir(), 'syncline-secrets-'));
const file = join(folder, 'secret');
afterAll(() => rmSync(folder, { recursive: true }));

describe('readSecret', () => {
  test('from the variable', () => {
    expect(readSecret('A', { A: 'value' })).toBe('value');
    expect(readSecret('A', { A: '' })).toBeUndefined();
    expect(readSecret('A', {})).toBeUndefined();
  });

  test('from a file, without its last line break, anew each time', () => {
    writeFileSync(file, ' first \n');
    expect(readSecret('A', { A_FILE: file })).toBe(' first ');
    writeFileSync(file, 'second\r\n');
    expect(readSecret('A', { A_FILE: file })).toBe('second');
  });

  test('both, an unreadable and an empty file are errors that name the variable', () => {
    writeFileSync(file, '\n');
    expect(() => readSecret('A', { A: 'topsecret', A_FILE: file })).toThrow('A and A_FILE are both set; keep one of them');
    expect(() => readSecret('A', { A_FILE: join(folder, 'none') })).toThrow('A_FILE names a file that cannot be read (ENOENT)');
    expect(() => readSecret('A', { A_FILE: file })).toThrow('A_FILE names an empty file');
  });
});

describe('createSecrets', () => {
  const real = (env: Record<string, string>) => createSecrets({ env, mode: 'real' });

  test('lists, newest first', () => {
    expect(real({ A: 'new, old' }).list('A')).toEqual(['new', 'old']);
    expect(real({}).optionalList('A')).toEqual([]);
    expect(() => real({ A: 'new,' }).list('A')).toThrow('A has an empty entry');
  });

  test('missing ones name both ways to set them', () => {
    expect(() => real({}).one('A')).toThrow('A is missing; set it, or A_FILE to a file that holds it');
    expect(() => real({}).list('A')).toThrow('A is missing');
    expect(real({}).optional('A')).toBeUndefined();
  });

  test.each([
    sandboxSecret('SYNCLINE_SHOPIFY_MAIN_WEBHOOK_SECRET'),
    sandboxStandardWebhooksSecret('SYNCLINE_CRM_MAIN_WEBHOOK_SECRET'),
    Buffer.from('sandbox-codec-key-0123456789abcd').toString('base64'),
  ])('%s is refused in real mode, without being printed', (secret) => {
    const message = (() => {
      try {
        real({ A: `proper,${secret}` }).list('A');
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(message).toContain('A holds a sandbox secret');
    expect(message).not.toContain(secret);
    expect(() => real({ A: `proper,${secret}` }).one('A')).toThrow('sandbox secret');
    expect(createSecrets({ env: { A: secret }, mode: 'sandbox' }).one('A')).toBe(secret);
  });

  test('the mode comes from the environment, real by default', () => {
    expect(createSecrets({ env: { SYNCLINE_MODE: 'sandbox', A: 'sandbox-a' } }).one('A')).toBe('sandbox-a');
    expect(() => createSecrets({ env: { A: 'sandbox-a' } }).one('A')).toThrow('SYNCLINE_MODE=sandbox');
    expect(() => modeOf({ SYNCLINE_MODE: 'prod' })).toThrow('SYNCLINE_MODE is not usable; expected "sandbox" or "real"');
  });
});

test('sandbox secrets are recognisable, others are not', () => {
  expect(sandboxSecret('SYNCLINE_SHOPIFY_MAIN_WEBHOOK_SECRET')).toBe('sandbox-shopify-main-webhook-secret');
  expect(isSandboxSecret(sandboxStandardWebhooksSecret('SYNCLINE_CRM_MAIN_WEBHOOK_SECRET'))).toBe(true);
  expect(isSandboxSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).toBe(false);
  expect(isSandboxSecret('hush')).toBe(false);
});
