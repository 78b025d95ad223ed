import { hashedParts, type HashedParts } from '../identifiers/hashed-member';
import { sha256Hex } from '../identifiers/hash';
import { audienceMember } from '../identifiers/member';
import { callsOf, dataRowsOf, maxCallBytes, maxCallRows, metaRules, schema } from './members';

const partsOf = (member: object) => hashedParts(audienceMember.parse({ externalId: 'C-1', ...member }), metaRules);

// Meta's own examples: "Customer File Custom Audiences", "Hashing".
test.each([
  ['mary@example.com', 'f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79'],
  ['15559876543', '1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e'],
])('the hash of %s', (normal, hash) => {
  expect(sha256Hex(normal)).toBe(hash);
});

// Computed with sha256sum of the form in the comment.
test.each<[object, Partial<HashedParts>]>([
  [{ emails: [' Mary@Example.com '] }, { e: ['f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79'] }],
  // 4915123456789, de
  [
    { phones: ['0151 / 234 567 89'], country: 'DE' },
    {
      p: ['c0f8f0bebbbac96451ee8d8def84a02ae9e34c877775437cb9d458328315afa7'],
      c: '959a45d44e6fcf58361ed004681556fe50129f2109e817dec098c00c9e5d2578',
    },
  ],
  [{ phones: ['+49 151 23456789'] }, { p: ['c0f8f0bebbbac96451ee8d8def84a02ae9e34c877775437cb9d458328315afa7'] }],
  // mary, oneillmüller
  [
    { firstName: ' Mary ', lastName: "O'Neill-Müller" },
    {
      f: '6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec',
      l: '7faf0a8f08cba554fff9608e3865edb71cccfc808b8a6094d2c103c9db28cfe6',
    },
  ],
  // 94046, sw1a1, 10115
  [{ postalCode: '94046-1234', country: 'US' }, { z: '295d89c851231ecef8c875c88077773f861c5adb0b0e239933dd5241d230dbd9' }],
  [{ postalCode: 'SW1A 1AA', country: 'GB' }, { z: '949af780a19e6f6d4b99d7044743348dbbb7ab2245fe146863573b23d02c5890' }],
  [{ postalCode: ' 10115 ' }, { z: 'ac7bb74de6884ffce919c15fef4193749d4588026c643973946713ac46da540d' }],
])('%j as Meta matches it', (member, expected) => {
  expect(partsOf(member)).toMatchObject({ ...expected, x: 'C-1' });
});

test('one row for a member with one address and one number, further ones in rows of their own', () => {
  expect(schema).toEqual(['EXTERN_ID', 'EMAIL', 'PHONE', 'FN', 'LN', 'ZIP', 'COUNTRY']);
  expect(dataRowsOf({ x: 'C-1' })).toEqual([['C-1', '', '', '', '', '', '']]);
  expect(dataRowsOf({ e: ['e1', 'e2', 'e3'], p: ['p1', 'p2'], f: 'f', l: 'l', z: 'z', c: 'c', x: 'C-1' })).toEqual([
    ['C-1', 'e1', 'p1', 'f', 'l', 'z', 'c'],
    ['C-1', 'e2', 'p2', 'f', 'l', 'z', 'c'],
    ['C-1', 'e3', '', 'f', 'l', 'z', 'c'],
  ]);
});

test.each([
  [1, [1]],
  [maxCallRows, [maxCallRows]],
  [maxCallRows + 1, [maxCallRows, 1]],
])('%p members are calls of %j rows', (count, sizes) => {
  const calls = [...callsOf(Array.from({ length: count }, (_, n) => ({ x: `C-${n}` })))];
  expect(calls.map(({ data }) => data.length)).toEqual(sizes);
  expect(calls.map(({ last }) => last)).toEqual(sizes.map((_size, n) => n === sizes.length - 1));
});

test('calls are never larger than declared, and the same members make the same calls', () => {
  const members = Array.from({ length: 9_000 }, (_, n) => ({
    e: [sha256Hex(String(n))],
    p: [sha256Hex('1')],
    f: sha256Hex('2'),
    l: sha256Hex('3'),
    x: 'ü'.repeat(100),
  }));
  const calls = [...callsOf(members)];
  expect(calls).toHaveLength(2);
  for (const { data } of calls) expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThanOrEqual(maxCallBytes);
  expect([...callsOf(members)]).toEqual(calls);
});
