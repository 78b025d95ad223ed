import { createHash } from 'node:crypto';

/** SHA-256 as 64 lower-case hexadecimal digits: what Meta and Google take of an identifier in its normal form. */
export function sha256Hex(normal: string): string {
  return createHash('sha256').update(normal, 'utf8').digest('hex');
}

/** Hashed already, by whoever filled the column: hashing it again would match nobody, and no vendor would say so. */
export function looksHashed(value: string): boolean {
  const text = value.trim();
  return /^[0-9a-f]{32}$|^[0-9a-f]{40}$|^[0-9a-f]{64}$/i.test(text) || /^[A-Za-z0-9+/]{43}=$/.test(text);
}
