import { createHmac } from 'node:crypto';
import { checkAge, decodeSignature, hmac, verifyHmac, wholeNumber, type HmacCheck } from './hmac-signature';

describe('hmac', () => {
  it('gives the same for content in pieces and in one', () => {
    const whole = createHmac('sha256', 'key').update('1.{"a":"é"}').digest();
    expect(hmac('sha256', 'key', ['1', '.', Buffer.from('{"a":"é"}')])).toEqual(whole);
  });

  // RFC 4231 test case 2, RFC 2202 test case 2.
  it.each([
    ['sha256', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    ['sha1', 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
    ['sha512', '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737'],
  ] as const)('computes %s as published', (algorithm, expected) => {
    expect(hmac(algorithm, 'Jefe', ['what do ya ', 'want for nothing?']).toString('hex')).toBe(expected);
  });
});

describe('decodeSignature', () => {
  it('reads hex in either case and padded base64', () => {
    expect(decodeSignature('00fF', 'hex')).toEqual(Buffer.from([0, 255]));
    expect(decodeSignature('AP8=', 'base64')).toEqual(Buffer.from([0, 255]));
  });

  it.each([
    ['hex', ['', '0', '00f', '00 ff', '00ff\n', '0xff', 'zz', '٠٠']],
    ['base64', ['', 'AP8', 'AP9=', 'AP8==', ' AP8=', 'AP8=\n', 'A_8=', 'A-8=', 'AP!8=', 'é', 'AP8=,AP8=']],
  ] as const)('takes no second spelling of %s', (encoding, texts) => {
    for (const text of texts) expect(decodeSignature(text, encoding)).toBeNull();
  });
});

describe('verifyHmac', () => {
  const right = hmac('sha256', 'new', ['body']);
  const check = (changes: Partial<HmacCheck>) =>
    verifyHmac({
      algorithm: 'sha256',
      keys: ['new', 'old'],
      contents: [['body']],
      given: [right],
      header: 'X-Sig',
      ...changes,
    });

  it('accepts when any key, content and signature fit together', () => {
    expect(check({})).toEqual({ ok: true });
    expect(check({ keys: ['other', 'new'] })).toEqual({ ok: true });
    expect(check({ contents: [['else'], ['body']] })).toEqual({ ok: true });
    expect(check({ given: [null, Buffer.from('short'), right] })).toEqual({ ok: true });
  });

  it('says what is wrong otherwise', () => {
    const detail = (changes: Partial<HmacCheck>) => (check(changes) as { detail: string }).detail;
    expect(detail({ keys: [] })).toBe('no usable signing secret is configured');
    expect(detail({ keys: ['', Buffer.alloc(0)], given: [hmac('sha256', '', ['body'])] })).toBe('no usable signing secret is configured');
    expect(detail({ given: [] })).toBe('X-Sig holds no readable signature');
    expect(detail({ given: [null] })).toBe('X-Sig holds no readable signature');
    expect(detail({ given: [right.subarray(0, 31)] })).toBe('X-Sig does not fit the request: another secret, or changed on the way');
  });
});

describe('checkAge', () => {
  it('allows the tolerance in both directions, and says how far off the rest is', () => {
    expect(checkAge(1_000_000, 1_300_000)).toEqual({ ok: true });
    expect(checkAge(1_300_000, 1_000_000)).toEqual({ ok: true });
    expect(checkAge(1_000_000, 1_300_001)).toMatchObject({
      reason: 'stale',
      detail: 'signed 300 s ago; accepted within 300 s',
    });
    expect(checkAge(1_400_000, 1_000_000)).toMatchObject({
      reason: 'stale',
      detail: "signed 400 s ahead of this server's clock; accepted within 300 s",
    });
    expect(checkAge(1_000, 2_001, 1_000)).toMatchObject({ ok: false, reason: 'stale' });
  });
});

describe('wholeNumber', () => {
  it('reads digits only', () => {
    expect(wholeNumber('1790609400')).toBe(1_790_609_400);
    expect(wholeNumber('0')).toBe(0);
    for (const text of ['', ' 1', '1 ', '1.0', '1e3', '-1', '+1', '0x1', '1;', 'NaN', '٣', '1234567890123456']) {
      expect(wholeNumber(text)).toBeNull();
    }
  });
});
