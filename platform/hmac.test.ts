import { createKeyHmac } from './hmac';

describe('createKeyHmac', () => {
  test('golden: the format is what ledgers and search attributes hold', () => {
    expect(createKeyHmac(['golden-secret']).current('ada@example.com')).toBe('k_h4geUQ1KomBRcS4hbkmzKw');
  });

  test('short, printable, the same each time', () => {
    const { current } = createKeyHmac(['s1']);
    expect(current('a')).toMatch(/^k_[A-Za-z0-9_-]{22}$/);
    expect(current('a')).toBe(current('a'));
    expect(current('a')).not.toBe(current('b'));
  });

  test('after a rotation the newest writes and all are looked up', () => {
    const before = createKeyHmac(['old']);
    const after = createKeyHmac(['new', 'old']);
    expect(after.current('ada@example.com')).not.toBe(before.current('ada@example.com'));
    expect(after.all('ada@example.com')).toEqual([after.current('ada@example.com'), before.current('ada@example.com')]);
  });

  test('without a secret it refuses to work', () => {
    expect(() => createKeyHmac([])).toThrow('SYNCLINE_KEY_SECRET');
    expect(() => createKeyHmac(['new', ''])).toThrow('SYNCLINE_KEY_SECRET');
  });
});
