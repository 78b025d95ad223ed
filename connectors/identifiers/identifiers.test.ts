import { looksHashed, sha256Hex } from './hash';
import { audienceMember } from './member';
import { googleEmail, googleName, normalEmail, normalName, normalPhone } from './normal-form';

test.each([
  [normalEmail(' Test@Example.COM '), 'test@example.com', '973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b'],
  [googleEmail('Cloudy.SanFrancisco+x@googlemail.com'), 'cloudysanfrancisco@googlemail.com', undefined],
  [googleEmail('first.last+x@example.com'), 'first.last+x@example.com', undefined],
  [normalPhone('(650) 253-0000', 'us'), '+16502530000', undefined],
  [normalPhone('0151 / 234 567 89', 'DE'), '+4915123456789', undefined],
  [normalPhone('+44 20 7946 0958'), '+442079460958', undefined],
  [normalName(' Müller-Lüdenscheidt, Jr. '), 'müllerlüdenscheidt jr', undefined],
  [normalName("O'Brien"), 'obrien', undefined],
  [googleName(" O'Brien "), "o'brien", '65b87174be3b1b122e2b0929f0b84888637d31a4a83bb96a860bcff411f5e668'],
  [googleName('Anne-Marie'), 'anne-marie', '9ab5e3bbcfaa6dcec4f2871573324f033775b46d42dc25f199ea4ae0af64b1ed'],
  [googleName('Müller Lüdenscheidt'), 'müller lüdenscheidt', undefined],
])('%#: the form that is compared, and its hash', (normal, expected, hash) => {
  expect(normal).toBe(expected);
  if (hash !== undefined) expect(sha256Hex(normal!)).toBe(hash);
});

test.each([
  normalEmail('ada'),
  normalEmail(''),
  googleEmail('+x@gmail.com'),
  normalPhone('0151 23456789'),
  normalPhone('12', 'DE'),
  normalName(' - '),
  googleName(' '),
])('%#: no identifier', (normal) => {
  expect(normal).toBeNull();
});

test.each([sha256Hex('x'), sha256Hex('x').toUpperCase(), '9dd4e461268c8034f5c8564e155c67a6', Buffer.from(sha256Hex('x'), 'hex').toString('base64')])(
  '%s is a hash already',
  (value) => {
    expect(looksHashed(value)).toBe(true);
    const read = audienceMember.safeParse({ emails: ['ada@example.com', value] });
    expect(read.error!.issues).toEqual([expect.objectContaining({ path: ['emails', 1], message: expect.stringContaining('hashed already') })]);
  },
);

test.each([
  [{ emails: ['ada'] }, ['emails', 0]],
  [{ phones: ['0151 23456789'] }, ['phones', 0]],
  [{ externalId: 'ada@example.com' }, ['externalId']],
  [{ firstName: 'Ada' }, ['emails']],
  [{ emails: ['ada@example.com'], country: 'Germany' }, ['country']],
])('%j: the field is named, its value is not', (member, path) => {
  const [issue] = audienceMember.safeParse(member).error!.issues;
  expect(issue!.path).toEqual(path);
  expect(issue!.message).not.toMatch(/ada|0151|Germany/i);
});

test('several identifiers of each kind are one member', () => {
  expect(audienceMember.parse({ emails: ['a@example.com', 'b@example.com'], phones: ['0151 23456789'], country: 'DE' })).toMatchObject({
    emails: ['a@example.com', 'b@example.com'],
  });
});
