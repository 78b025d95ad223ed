import type { Json } from '../schemas/json';

/** How bodies rest in the database: compressed, encrypted, or as they are. */
export interface BodyCodec {
  encode(body: Buffer): Promise<Buffer>;
  decode(body: Buffer): Promise<Buffer>;
}

export function encodeBody(codec: BodyCodec, body: Json): Promise<Buffer> {
  return codec.encode(Buffer.from(JSON.stringify(body), 'utf8'));
}

export async function decodeBody(codec: BodyCodec, stored: Buffer): Promise<Json> {
  return JSON.parse((await codec.decode(stored)).toString('utf8')) as Json;
}
