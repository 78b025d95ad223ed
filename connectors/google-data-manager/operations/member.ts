import { hashedMember, hashedParts, readHashedKey, type HashedParts, type HashingRules } from '../../identifiers/hashed-member';
import { audienceMember, type AudienceMember } from '../../identifiers/member';
import { googleEmail, googleName, normalEmail, normalPhone } from '../../identifiers/normal-form';

/** Per member: error.proto, TOO_MANY_USER_IDENTIFIERS. */
export const maxIdentifiers = 10;

/** developers.google.com/data-manager/api/get-started/formatting and the reference of `UserData`, read 2026-11. */
const rules: HashingRules = {
  email: googleEmail,
  phone: normalPhone,
  name: googleName,
  // Neither is hashed. Google says nothing of how it compares postal codes: they go as written.
  country: (value) => value.toUpperCase(),
  postalCode: (value) => (value.length <= 64 ? value : null),
};

/** One `UserIdentifier`: exactly one of the three, hashes in hexadecimal. */
export type UserIdentifier =
  { emailAddress: string } | { phoneNumber: string } | { address: { givenName: string; familyName: string; regionCode: string; postalCode: string } };

/**
 * What Google is told of a member, and nothing else: an address has all four parts or does not go, and an id of the caller's has
 * no place beside contact data. So members who are the same to Google have the same key.
 */
export function partsOf(member: AudienceMember): HashedParts {
  const { e, p, f, l, c, z } = hashedParts(member, rules);
  const address = f !== undefined && l !== undefined && c !== undefined && z !== undefined ? { f, l, c, z } : {};
  return { ...(e ? { e } : {}), ...(p ? { p } : {}), ...address };
}

/** The identifiers of a member, in a fixed order. */
export function identifiersOf({ e = [], p = [], f, l, c, z }: HashedParts): UserIdentifier[] {
  const address = f !== undefined && l !== undefined && c !== undefined && z !== undefined;
  return [
    ...e.map((emailAddress) => ({ emailAddress })),
    ...p.map((phoneNumber) => ({ phoneNumber })),
    ...(address ? [{ address: { givenName: f, familyName: l, regionCode: c, postalCode: z } }] : []),
  ];
}

/** Those of a stored key; none when it is no key. */
export function identifiersIn(key: string): UserIdentifier[] {
  return identifiersOf(readHashedKey(key) ?? {});
}

/**
 * Who joins. Google looks at a request as a whole: a member it does not take would take 9,999 others along, so what it is known
 * to refuse is refused here, with the field named.
 */
export const joining = audienceMember.superRefine((member, context) => {
  const refuse = (path: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path, message });
  member.emails.forEach((email, index) => {
    if (normalEmail(email) !== null && googleEmail(email) === null)
      refuse(['emails', index], 'expected an address that Google can have; nothing is left of it');
  });
  if (member.emails.length + member.phones.length === 0 && member.externalId !== undefined)
    refuse(['emails'], 'expected an e-mail address or a phone number; Google takes no external id beside contact data');
  if (identifiersOf(partsOf(member)).length > maxIdentifiers)
    refuse(['phones'], `expected at most ${maxIdentifiers} identifiers, counting each e-mail address, each phone number, and the postal address as one`);
});

/** Who leaves: the key is all there is, and must be one that Google takes. */
export const leaving = hashedMember.superRefine(({ key }, context) => {
  const { length } = identifiersIn(key);
  if (length === 0 || length > maxIdentifiers)
    context.addIssue({ code: 'custom', path: ['key'], message: `expected the key of a member with 1 to ${maxIdentifiers} identifiers` });
});
