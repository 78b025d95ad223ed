import { hashedKey } from '../../identifiers/hashed-member';
import { identifiersIn, identifiersOf, joining, leaving, partsOf } from './member';

const told = (member: unknown) => identifiersOf(partsOf(joining.parse(member)));
const refusals = (member: unknown) => joining.safeParse(member).error!.issues.map(({ path, message }) => ({ path: path.join('.'), message }));

// Input and hashes: members 2 and 4 of the guide "Send audience members" (developers.google.com/data-manager, read 2026-11).
test.each([
  [
    { emails: ['ALEXF@example.com', 'AlexF@cymbalgroup.com', 'alexF@altostrat.com'], phones: ['+1-800-555-0100', '+1 800-555-0101', '+1 800-555-0102'] },
    [
      '19de0a9906ebee29fe82087be5ec44f3c01e40730bc808b663c71f19dd6b12f2',
      '7d2d80e240594dcee2e57f57885ee286c4b232dd142234d7a0af6d31cc86679b',
      '063c45291827d4994f98357b72862b25885834fd53cf8f0e4af359916fc03c62',
    ],
    [
      'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30',
      '61d6c2976b5d92b1ad63073a12fddd26040cd980067d03a93dd1cc50f1a3ac68',
      'c5383c2eeada28210d27f011bc127d4f9562cf38ff0c9bba33dd45ae79b9fe7c',
    ],
  ],
  [
    { emails: ['rosario@example.org', 'cloudySanFrancisco@GMAIL.com'], phones: ['(800) 555-0110'], country: 'us' },
    ['83a834cc5327bc4dee7c5408988040dc5813c7662611cd93b707aff72bf7d33f', '223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4'],
    ['525c2390a4e2a9766fa8ddc341dd10414603baebefa401f5a5e29f55e176525d'],
  ],
])('%#: the hashes of Google’s guide', (member, emails, phones) => {
  expect(told(member)).toEqual([...emails.sort().map((emailAddress) => ({ emailAddress })), ...phones.sort().map((phoneNumber) => ({ phoneNumber }))]);
});

test('an address: names hashed (vectors of googleads/data-manager-python), country and postal code not', () => {
  const address = { firstName: '  GivenName  ', lastName: 'FamilyName ', country: 'pt', postalCode: ' 1229-076 ' };
  expect(told({ phones: ['+18005550100'], ...address }).at(-1)).toEqual({
    address: {
      givenName: '128a07bfe2df877c52076e60d7774cf5baaa046c5a6c48daf30ff43ecca2f814',
      familyName: '77762c287e61ce065bee5c15464012c6fbe088398b8057627d5577249430d574',
      regionCode: 'PT',
      postalCode: '1229-076',
    },
  });
  for (const missing of ['firstName', 'lastName', 'country', 'postalCode'])
    expect(told({ phones: ['+18005550100'], ...address, [missing]: undefined })).toHaveLength(1);
  expect(told({ phones: ['+18005550100'], ...address, firstName: 'Anne-Marie', lastName: " O'Brien " }).at(-1)).toMatchObject({
    address: {
      givenName: '9ab5e3bbcfaa6dcec4f2871573324f033775b46d42dc25f199ea4ae0af64b1ed',
      familyName: '65b87174be3b1b122e2b0929f0b84888637d31a4a83bb96a860bcff411f5e668',
    },
  });
  expect(told({ phones: ['+18005550100'], ...address, postalCode: '9'.repeat(80) })).toHaveLength(1);
});

test('the key is what Google is told: equal for equal members, read back when one leaves, without a raw identifier', () => {
  const key = (member: unknown) => hashedKey(partsOf(joining.parse(member)));
  const ada = { emails: ['ada@example.com', 'Ada.Lovelace+news@gmail.com'], phones: ['+44 20 7946 0958'] };
  const same = { emails: ['adalovelace@gmail.com', 'ADA@example.com '], phones: ['020 7946 0958'], country: 'GB', firstName: 'Ada', externalId: 'c-1' };
  expect(key(same)).toBe(key(ada));
  expect(identifiersIn(key(ada))).toEqual(told(same));
  expect(key(ada)).toMatch(/^\{"e":\["[0-9a-f]{64}","[0-9a-f]{64}"\],"p":\["[0-9a-f]{64}"\]\}$/);
  expect(leaving.safeParse({ key: key(ada), vendorId: null }).success).toBe(true);
});

test('what Google would refuse, and 9,999 others with it, is refused before; the field is named, its value is not', () => {
  expect(refusals({ externalId: 'c-1' })).toEqual([{ path: 'emails', message: expect.stringMatching(/e-mail address or a phone number/) }]);
  expect(refusals({ emails: ['+news@gmail.com'] })).toEqual([{ path: 'emails.0', message: expect.not.stringContaining('news') }]);
  const emails = Array.from({ length: 5 }, (_, n) => `ada${n}@example.com`);
  const phones = Array.from({ length: 5 }, (_, n) => `+1800555010${n}`);
  expect(told({ emails, phones })).toHaveLength(10);
  expect(refusals({ emails, phones, firstName: 'Ada', lastName: 'Lovelace', country: 'US', postalCode: '94043' })).toEqual([
    { path: 'phones', message: expect.stringMatching(/at most 10 identifiers/) },
  ]);
  expect(refusals({ emails: ['ada'] })).toHaveLength(1);
  expect(refusals({})).toHaveLength(1);
});

test.each(['{"x":"c-1"}', 'ada@example.com', ''])('%p is no member that could leave', (key) => {
  expect(leaving.safeParse({ key, vendorId: null }).error!.issues[0]!.path).toEqual(['key']);
  expect(identifiersIn(key)).toEqual([]);
});
