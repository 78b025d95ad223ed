import { z } from 'zod';
import { sha256Hex } from './hash';
import type { AudienceMember } from './member';
import type { NormalForm } from './normal-form';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const short = z.string().min(1).max(64);

/** In the order in which a key names them; what is missing is left out, so that equal members have equal keys. */
const parts = z.strictObject({
  /** SHA-256 of the e-mail addresses, sorted. */
  e: z.array(hash).min(1).optional(),
  /** SHA-256 of the phone numbers, sorted. */
  p: z.array(hash).min(1).optional(),
  /** SHA-256 of the first name. */
  f: hash.optional(),
  /** SHA-256 of the last name. */
  l: hash.optional(),
  /** The country, as the vendor takes it: hashed or not. */
  c: short.optional(),
  /** The postal code, as the vendor takes it: hashed or not. */
  z: short.optional(),
  /** The caller's own id of the person. */
  x: z.string().min(1).max(100).optional(),
});

/** What a vendor is told of one member: hashes, and nothing by which a person could be addressed. */
export type HashedParts = z.output<typeof parts>;

/**
 * The normal forms one vendor matches by; null = no identifier, left out. Addresses, numbers and names are hashed after that;
 * `country` and `postalCode` are taken as they come back, because vendors differ in whether they are hashed.
 */
export interface HashingRules {
  email(value: string): NormalForm;
  /** @param country - ISO 3166-1 alpha-2, for numbers without a country code */
  phone(value: string, country: string | undefined): NormalForm;
  name(value: string): NormalForm;
  country(value: string): NormalForm;
  postalCode(value: string, country: string | undefined): NormalForm;
}

/** A member by the rules of one vendor. The same person twice in one list of identifiers is there once. */
export function hashedParts(member: AudienceMember, rules: HashingRules): HashedParts {
  const hashOf = (normal: NormalForm): string[] => (normal === null ? [] : [sha256Hex(normal)]);
  const name = (value: string | undefined): string[] => (value === undefined ? [] : hashOf(rules.name(value)));
  const given = (value: NormalForm | undefined): string[] => (value === null || value === undefined ? [] : [value]);
  const { country, postalCode, externalId } = member;
  const e = sorted(member.emails.flatMap((email) => hashOf(rules.email(email))));
  const p = sorted(member.phones.flatMap((phone) => hashOf(rules.phone(phone, country))));
  const [f] = name(member.firstName);
  const [l] = name(member.lastName);
  const [c] = given(country === undefined ? null : rules.country(country));
  const [code] = given(postalCode === undefined ? null : rules.postalCode(postalCode, country));
  return {
    ...(e.length === 0 ? {} : { e }),
    ...(p.length === 0 ? {} : { p }),
    ...(f === undefined ? {} : { f }),
    ...(l === undefined ? {} : { l }),
    ...(c === undefined ? {} : { c }),
    ...(code === undefined ? {} : { z: code }),
    ...(externalId === undefined ? {} : { x: externalId }),
  };
}

/** The member's key: JSON in one spelling only, so that it can be compared, stored, and read again when the member leaves. */
export function hashedKey({ e = [], p = [], f, l, c, z: code, x }: HashedParts): string {
  const list = (hashes: readonly string[]): string[] | undefined => (hashes.length === 0 ? undefined : sorted(hashes));
  // In this order; what is undefined is left out.
  return JSON.stringify({ e: list(e), p: list(p), f, l, c, z: code, x });
}

/** What a key stands for; null = it is none, or not in the one spelling. */
export function readHashedKey(key: string): HashedParts | null {
  try {
    const read = parts.safeParse(JSON.parse(key));
    return read.success && identifies(read.data) && hashedKey(read.data) === key ? read.data : null;
  } catch {
    return null;
  }
}

/** A name and a country alone are many people. */
function identifies({ e, p, x }: HashedParts): boolean {
  return e !== undefined || p !== undefined || x !== undefined;
}

function sorted(hashes: readonly string[]): string[] {
  return hashes.length < 2 ? [...hashes] : [...new Set(hashes)].sort();
}

/** A member who leaves: all that is left of a person then is the key. */
export const hashedMember = z.strictObject({
  key: z.string().refine((key) => readHashedKey(key) !== null, 'expected the key of a member of an audience'),
  /** The vendor's id, where it told one. */
  vendorId: z.string().nullable(),
});

/** {@link hashedMember}, read. */
export type HashedMember = z.output<typeof hashedMember>;
