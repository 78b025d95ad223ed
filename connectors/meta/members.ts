import { sha256Hex } from '../identifiers/hash';
import type { HashedParts, HashingRules } from '../identifiers/hashed-member';
import { normalEmail, normalName, normalPhone } from '../identifiers/normal-form';

/**
 * developers.facebook.com, "Customer File Custom Audiences", "Hashing and Normalization for Multi-Key" (v25.0, as of 2026-04).
 * Country and postal code are hashed like the rest.
 */
export const metaRules: HashingRules = {
  email: normalEmail,
  // E.164 without its plus: symbols and leading zeros are gone, the country code is there.
  phone: (value, country) => normalPhone(value, country)?.slice(1) ?? null,
  name: normalName,
  country: (value) => sha256Hex(value.toLowerCase()),
  postalCode: (value, country) => {
    const code = normalZip(value, country?.toUpperCase());
    return code === '' ? null : sha256Hex(code);
  },
};

/** Lower case, no spaces; of American codes five digits, of British ones no unit (`SW1A 1AA` is `sw1a1`). */
function normalZip(value: string, country: string | undefined): string {
  const code = value.toLowerCase().replaceAll(/\s/g, '');
  if (country === 'US') return code.split('-', 1)[0]!.slice(0, 5);
  if (country === 'GB') return code.replace(/(?<=\d)[a-z]{2}$/, '');
  return code;
}

/** Columns of every call: Meta wants one schema for a session. What a member lacks is an empty text. */
export const schema = ['EXTERN_ID', 'EMAIL', 'PHONE', 'FN', 'LN', 'ZIP', 'COUNTRY'];

/**
 * A member's rows. A row holds one address and one number, because it is nowhere documented that the API takes a key twice (a
 * file uploaded by hand may have three columns of each): further ones go in rows of their own, beside the same name and id.
 */
export function dataRowsOf({ e = [], p = [], f = '', l = '', z = '', c = '', x = '' }: HashedParts): string[][] {
  return Array.from({ length: Math.max(1, e.length, p.length) }, (_, n) => [x, e[n] ?? '', p[n] ?? '', f, l, z, c]);
}

/** Rows a call takes at most; in Meta's words. */
export const maxCallRows = 10_000;
/** Bytes of rows a call takes at most. Meta names no limit; this is 10,000 rows with all columns filled, nearly. */
export const maxCallBytes = 4_000_000;

/** The rows of all members, in calls. The same members in the same order make the same calls. */
export function* callsOf(members: Iterable<HashedParts>): Generator<{ data: string[][]; last: boolean }> {
  let data: string[][] = [];
  let bytes = 1;
  for (const member of members) {
    for (const row of dataRowsOf(member)) {
      const size = Buffer.byteLength(JSON.stringify(row)) + 1;
      if (data.length === maxCallRows || (data.length > 0 && bytes + size > maxCallBytes)) {
        yield { data, last: false };
        data = [];
        bytes = 1;
      }
      data.push(row);
      bytes += size;
    }
  }
  if (data.length > 0) yield { data, last: true };
}
