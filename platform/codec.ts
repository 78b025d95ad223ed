import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { CodecKey } from './codec-keys';
import { compress, decompress } from './compress';
import { CodecError, decrypt, encrypt } from './encrypt';

/** Smaller data is left alone: it would save little, and most payloads are small. */
export const compressAboveBytes = 16 * 1024;

/** One set of rules for all that is written down: Temporal's payloads, and the bodies in the inbox. */
export interface Codec extends PayloadCodec {
  readonly bodies: BodyCodec;
}

/** For bytes outside Temporal. What it writes says itself how it was written. */
export interface BodyCodec {
  encode(body: Buffer): Promise<Buffer>;
  /** Reads what `encode` wrote, and plain bytes. */
  decode(stored: Buffer): Promise<Buffer>;
}

/**
 * Compresses what is above 16 KiB and, when there are keys, encrypts everything with AES-256-GCM: the first key encrypts,
 * each may decrypt. Small payloads without keys pass untouched.
 */
export function createCodec(keys: readonly CodecKey[] = []): Codec {
  return {
    encode: (payloads) => Promise.all(payloads.map((payload) => encodePayload(payload, keys[0]))),
    decode: (payloads) => Promise.all(payloads.map((payload) => decodePayload(payload, keys))),
    bodies: {
      encode: (body) => encodeBody(body, keys[0]),
      decode: (stored) => decodeBody(stored, keys),
    },
  };
}

/** For clients and workers: `new Client({ connection, dataConverter: dataConverter(codec) })`. */
export function dataConverter(codec: PayloadCodec): DataConverter {
  return { payloadCodecs: [codec] };
}

const PayloadProto = temporal.api.common.v1.Payload;
const encoding = { compressed: 'binary/brotli', encrypted: 'binary/encrypted' } as const;
const keyIdField = 'encryption-key-id';

async function encodePayload(payload: Payload, key: CodecKey | undefined): Promise<Payload> {
  const packed = await compressedPayload(payload);
  if (!key) return packed;
  const data = encrypt(PayloadProto.encode(packed).finish(), key);
  return { metadata: { encoding: Buffer.from(encoding.encrypted), [keyIdField]: Buffer.from(key.id) }, data };
}

async function compressedPayload(payload: Payload): Promise<Payload> {
  if ((payload.data?.length ?? 0) <= compressAboveBytes) return payload;
  const data = await compress(PayloadProto.encode(payload).finish());
  return data ? { metadata: { encoding: Buffer.from(encoding.compressed) }, data } : payload;
}

async function decodePayload(payload: Payload, keys: readonly CodecKey[]): Promise<Payload> {
  const data = payload.data ?? Buffer.alloc(0);
  switch (metadataText(payload, 'encoding')) {
    case encoding.encrypted: {
      const inner = decrypt(data, metadataText(payload, keyIdField), keys);
      return decodePayload(PayloadProto.decode(inner), keys);
    }
    case encoding.compressed:
      return PayloadProto.decode(await unpacked(data));
    default:
      return payload;
  }
}

function metadataText(payload: Payload, field: string): string {
  const value = payload.metadata?.[field];
  return value ? Buffer.from(value).toString('utf8') : '';
}

async function unpacked(data: Uint8Array): Promise<Buffer> {
  try {
    return await decompress(data);
  } catch {
    throw new CodecError('A compressed payload is damaged; it can no longer be read');
  }
}

/**
 * Stored bodies start with these bytes and flags, unless they are small and in the clear. JSON never starts with a NUL, so
 * a plain body is never taken for an encoded one; other bytes that would be are wrapped, with no flag set.
 *
 * Layout: magic, flags, [key id, 8 bytes, when encrypted], data.
 */
const magic = Buffer.from('\0SL1', 'latin1');
const flag = { compressed: 1, encrypted: 2 } as const;
const keyIdBytes = 8;

async function encodeBody(body: Buffer, key: CodecKey | undefined): Promise<Buffer> {
  const packed = body.length > compressAboveBytes ? await compress(body) : null;
  if (!packed && !key && !startsWithMagic(body)) return body;
  const data = packed ?? body;
  const flags = (packed ? flag.compressed : 0) | (key ? flag.encrypted : 0);
  const header = Buffer.concat([magic, Buffer.of(flags), key ? Buffer.from(key.id, 'hex') : Buffer.alloc(0)]);
  return Buffer.concat([header, key ? encrypt(data, key, header) : data]);
}

async function decodeBody(stored: Buffer, keys: readonly CodecKey[]): Promise<Buffer> {
  if (!startsWithMagic(stored)) return stored;
  const flags = stored[magic.length] ?? 0;
  const encrypted = (flags & flag.encrypted) !== 0;
  const headerEnd = magic.length + 1 + (encrypted ? keyIdBytes : 0);
  const header = stored.subarray(0, headerEnd);
  const rest = stored.subarray(headerEnd);
  const data = encrypted ? decrypt(rest, header.toString('hex', magic.length + 1), keys, header) : rest;
  return (flags & flag.compressed) !== 0 ? unpacked(data) : data;
}

function startsWithMagic(bytes: Buffer): boolean {
  return bytes.length >= magic.length && bytes.compare(magic, 0, magic.length, 0, magic.length) === 0;
}
