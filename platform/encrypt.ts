import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { CodecKey } from './codec-keys';

const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

/** Data that needs a key we don't have, or that was changed. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
}

/** iv, ciphertext, tag: the layout of Temporal's own encryption samples. */
export function encrypt(data: Uint8Array, key: CodecKey, bound?: Uint8Array): Buffer {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(algorithm, key.bytes, iv, { authTagLength: tagBytes });
  if (bound) cipher.setAAD(bound);
  const first = cipher.update(data);
  return Buffer.concat([iv, first, cipher.final(), cipher.getAuthTag()]);
}

/**
 * Undoes `encrypt` with the key of that id.
 *
 * @param bound The bytes that were bound to it: a change of them is found out as well.
 */
export function decrypt(sealed: Uint8Array, keyId: string, keys: readonly CodecKey[], bound?: Uint8Array): Buffer {
  const key = keys.find((candidate) => candidate.id === keyId);
  if (!key) throw new CodecError(unknownKey(keyId, keys));
  if (sealed.length < ivBytes + tagBytes) throw new CodecError('An encrypted payload is cut short; it can no longer be read');
  const decipher = createDecipheriv(algorithm, key.bytes, sealed.subarray(0, ivBytes), { authTagLength: tagBytes });
  if (bound) decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(ivBytes, sealed.length - tagBytes)), decipher.final()]);
  } catch {
    throw new CodecError(`A payload encrypted with key ${keyId} was changed or damaged; it can no longer be read`);
  }
}

function unknownKey(keyId: string, keys: readonly CodecKey[]): string {
  const known = keys.length === 0 ? 'is not set' : `has ${keys.map((key) => key.id).join(', ')}`;
  return (
    `A payload is encrypted with key ${keyId}, but SYNCLINE_CODEC_KEY ${known}; ` +
    'add the key it was written with to the end of SYNCLINE_CODEC_KEY (keys must be the same for every process)'
  );
}
