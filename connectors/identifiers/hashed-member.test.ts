import { sha256Hex } from './hash';
import { hashedKey, hashedMember, hashedParts, readHashedKey, type HashingRules } from './hashed-member';
import { audienceMember } from './member';
import { normalEmail, normalName, normalPhone } from './normal-form';

const rules: HashingRules = {
  email: normalEmail,
  phone: normalPhone,
  name: normalName,
  country: (country) => country.toUpperCase(),
  postalCode: (code) => sha256Hex(code),
};
const keyOf = (member: object) => hashedKey(hashedParts(audienceMember.parse(member), rules));

const everything = {
  emails: ['Test@Example.com', 'ada@example.com'],
  phones: ['0151 23456789'],
  firstName: 'Ada',
  lastName: 'Lovelace',
  country: 'de',
  postalCode: '10115',
  externalId: 'C-1',
};

test('a key holds hashes, the country and the own id, in one order', () => {
  const e = [sha256Hex('test@example.com'), sha256Hex('ada@example.com')].sort();
  const p = [sha256Hex('+4915123456789')];
  const hashes = { f: sha256Hex('ada'), l: sha256Hex('lovelace'), c: 'DE', z: sha256Hex('10115'), x: 'C-1' };
  expect(keyOf(everything)).toBe(JSON.stringify({ e, p, ...hashes }));
  expect(readHashedKey(keyOf(everything))).toEqual({ e, p, ...hashes });
  expect(keyOf({ externalId: 'C-1' })).toBe('{"x":"C-1"}');
});

test('order, spelling and repetition make no other member', () => {
  expect(keyOf({ ...everything, emails: ['ADA@example.com ', 'test@example.com', 'ada@example.com'] })).toBe(keyOf(everything));
  expect(keyOf({ ...everything, firstName: ' - ' })).not.toContain('"f"');
});

test.each([
  '',
  'ada@example.com',
  '[]',
  'null',
  '{}',
  '{"e":[]}',
  '{"e":["ada@example.com"]}',
  `{"f":"${sha256Hex('ada')}"}`,
  '{"x":"C-1","y":1}',
  '{ "x":"C-1"}',
])('%j is no key', (key) => {
  expect(readHashedKey(key)).toBeNull();
  const read = hashedMember.safeParse({ key, vendorId: null });
  expect(JSON.stringify(read.error!.issues)).not.toContain('ada@');
});

test('two spellings of one key are not both read', () => {
  const [one, other] = [sha256Hex('a'), sha256Hex('b')].sort();
  expect(readHashedKey(JSON.stringify({ e: [one, other] }))).not.toBeNull();
  expect(readHashedKey(JSON.stringify({ e: [other, one] }))).toBeNull();
  expect(readHashedKey(JSON.stringify({ x: 'C-1', e: [one] }))).toBeNull();
});
