import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Verification } from './webhook';

export type HmacAlgorithm = 'sha256' | 'sha1' | 'sha512';
export type SignatureEncoding = 'hex' | 'base64';

/** The bytes under a signature, in order; text counts as UTF-8. */
export type SignedContent = readonly (string | Buffer)[];

/** Tolerance of Stripe's, HubSpot's, Svix's and the Standard Webhooks libraries. */
export const FIVE_MINUTES_MS = 5 * 60 * 1000;

/** HMAC over the content, piece by piece: the body is never copied or decoded. */
export function hmac(algorithm: HmacAlgorithm, key: string | Buffer, content: SignedContent): Buffer {
  const mac = createHmac(algorithm, key);
  for (const piece of content) mac.update(piece);
  return mac.digest();
}

/**
 * The bytes of a signature, or null when the text isn't exactly that encoding: `Buffer.from` skips what it can't read, so
 * that endless spellings would pass for one signature. Hex in either case; base64 padded, as senders write it.
 */
export function decodeSignature(text: string, encoding: SignatureEncoding): Buffer | null {
  const bytes = Buffer.from(text, encoding);
  const exact = encoding === 'hex' ? bytes.toString('hex') === text.toLowerCase() : bytes.toString('base64') === text;
  return exact && bytes.length > 0 ? bytes : null;
}

export interface HmacCheck {
  algorithm: HmacAlgorithm;
  /** Any may match. Empty ones are left out: everybody can sign with an empty key. */
  keys: readonly (string | Buffer)[];
  /** Forms of the signed content; any may match. */
  contents: readonly SignedContent[];
  /** Signatures the request carries, null where unreadable; any may match. */
  given: readonly (Buffer | null)[];
  /** Where they stood, for the verdict's wording. */
  header: string;
}

/** Compares in constant time: how long a refusal takes says nothing about the right signature. */
export function verifyHmac({ algorithm, keys, contents, given, header }: HmacCheck): Verification {
  const usable = keys.filter((key) => key.length > 0);
  if (usable.length === 0) return refuse('bad_signature', 'no usable signing secret is configured');
  const candidates = given.filter((signature) => signature !== null);
  if (candidates.length === 0) return refuse('bad_signature', `${header} holds no readable signature`);
  for (const key of usable) {
    for (const content of contents) {
      const expected = hmac(algorithm, key, content);
      if (candidates.some((candidate) => sameBytes(candidate, expected))) return { ok: true };
    }
  }
  return refuse('bad_signature', `${header} does not fit the request: another secret, or changed on the way`);
}

/** Refuses what was signed too long ago, or too far ahead of this clock. All in milliseconds. */
export function checkAge(signedAt: number, now: number, toleranceMs: number = FIVE_MINUTES_MS): Verification {
  const age = now - signedAt;
  if (Math.abs(age) <= toleranceMs) return { ok: true };
  const distance = `${Math.round(Math.abs(age) / 1000)} s ${age > 0 ? 'ago' : "ahead of this server's clock"}`;
  return refuse('stale', `signed ${distance}; accepted within ${toleranceMs / 1000} s`);
}

/** A decimal number of at most 15 digits (exact in a double), or null. `parseInt` would read `17e`, `17 ` and `17;` as 17. */
export function wholeNumber(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Verdict for a header that isn't there. */
export function missing(header: string): Verification {
  return refuse('missing_signature', `header ${header} is missing`);
}

/** Verdict for everything else; `detail` must hold no value of the request. */
export function refuse(reason: 'missing_signature' | 'bad_signature' | 'stale', detail: string): Verification {
  return { ok: false, reason, detail };
}

function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b); // the length of an HMAC is no secret
}
