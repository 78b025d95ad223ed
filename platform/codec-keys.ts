import { createHash } from 'node:crypto';

/** A 256-bit key and the id that payloads carry to say which key they need. */
export interface CodecKey {
  id: string;
  bytes: Buffer;
}

/** Keys of 32 bytes in base64, base64url or hex; null when one isn't. */
export function parseCodecKeys(texts: readonly string[]): CodecKey[] | null {
  const keys: CodecKey[] = [];
  for (const text of texts) {
    const bytes = decodeKey(text.trim());
    if (!bytes) return null;
    keys.push({ id: keyId(bytes), bytes });
  }
  return keys;
}

function decodeKey(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  // 32 bytes are 43 base64 characters and perhaps one '='.
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : null;
}

/** Derived, so that there is nothing to configure or to mix up; 64 bits of a hash give nothing of the key away. */
function keyId(bytes: Buffer): string {
  return createHash('sha256').update('syncline codec key id\n').update(bytes).digest('hex').slice(0, 16);
}
