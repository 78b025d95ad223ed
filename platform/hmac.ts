import { createHmac } from 'node:crypto';

/** Turns a record's key (an e-mail, an external id) into a name that says nothing about the person. */
export interface KeyHmac {
  /** Under the newest secret: what is written. */
  current(key: string): string;
  /** Under every secret, newest first: what is looked up, so that rows from before a rotation are found. */
  all(key: string): string[];
}

/** 128 bits: a collision among a thousand million records has odds of about 1 in 10^21. */
const keptBytes = 16;

/**
 * Keyed hashes of record keys, for ids, logs, search attributes and the ledger. A plain hash of an e-mail can be undone by
 * trying addresses; without the secret this one can't.
 *
 * @param secrets `SYNCLINE_KEY_SECRET`, newest first.
 */
export function createKeyHmac(secrets: readonly string[]): KeyHmac {
  const [newest] = secrets;
  if (newest === undefined || secrets.includes('')) {
    throw new Error('SYNCLINE_KEY_SECRET is missing or has an empty entry; expected one secret, or a comma list, newest first');
  }
  const under = (secret: string, key: string): string =>
    `k_${createHmac('sha256', secret).update(key, 'utf8').digest().subarray(0, keptBytes).toString('base64url')}`;
  return {
    current: (key) => under(newest, key),
    all: (key) => secrets.map((secret) => under(secret, key)),
  };
}
