import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import fc from 'fast-check';
import { createCodec } from './codec';
import { type CodecKey, parseCodecKeys } from './codec-keys';
import { encrypt } from './encrypt';

const [first, second] = parseCodecKeys([Buffer.alloc(32, 1).toString('base64'), 'ab'.repeat(32)]) as [CodecKey, CodecKey];

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload): unknown => defaultPayloadConverter.fromPayload(payload);
const encodingOf = (payload: Payload): string => Buffer.from(payload.metadata?.['encoding'] ?? []).toString();
const record = (index: number) => ({
  id: index,
  email: `customer.${index}@example.com`,
  tags: ['vip', `t${index % 9}`],
});
const records = (count: number) => Array.from({ length: count }, (_, index) => record(index));

async function roundTrip(payload: Payload, keys: CodecKey[]): Promise<{ written: Payload; read: Payload }> {
  const codec = createCodec(keys);
  const [written] = (await codec.encode([payload])) as [Payload];
  // As a server would keep and return it.
  const proto = temporal.api.common.v1.Payload;
  const [read] = (await codec.decode([proto.decode(proto.encode(written).finish())])) as [Payload];
  return { written, read };
}

describe('payloads', () => {
  test('small ones without keys are the very same object', async () => {
    const payload = payloadOf(record(1));
    const [written] = await createCodec().encode([payload]);
    expect(written).toBe(payload);
  });

  test('above 16 KiB they are compressed', async () => {
    const value = records(1000);
    const { written, read } = await roundTrip(payloadOf(value), []);
    expect(encodingOf(written)).toBe('binary/brotli');
    expect(written.data?.length).toBeLessThan(15_000);
    expect(valueOf(read)).toEqual(value);
  });

  test('what does not shrink stays as it is', async () => {
    const payload: Payload = { metadata: { encoding: Buffer.from('binary/plain') }, data: randomBytes(40_000) };
    const [written] = await createCodec().encode([payload]);
    expect(written).toBe(payload);
  });

  test.each([
    ['in the clear', []],
    ['encrypted', [first]],
  ])('1 MiB, %s', async (_, keys: CodecKey[]) => {
    const value = records(14_000);
    expect(JSON.stringify(value).length).toBeGreaterThan(1024 * 1024 - 200_000);
    const { written, read } = await roundTrip(payloadOf(value), keys);
    expect(written.data?.length).toBeLessThan(256 * 1024);
    expect(valueOf(read)).toEqual(value);
  });

  test('any value and any metadata survive, with and without keys', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.uint8Array({ maxLength: 40 }), fc.boolean(), async (value, extra, sealed) => {
        const payload = payloadOf(value);
        const full: Payload = { ...payload, metadata: { ...payload.metadata, messageType: extra } };
        const { read } = await roundTrip(full, sealed ? [first, second] : []);
        expect(valueOf(read)).toEqual(valueOf(payload));
        expect(Buffer.from(read.metadata?.['messageType'] ?? [])).toEqual(Buffer.from(extra));
      }),
      { numRuns: 60 },
    );
  });

  test('a payload without data survives encryption', async () => {
    const payload: Payload = { metadata: { encoding: Buffer.from('binary/null') } };
    const { read } = await roundTrip(payload, [first]);
    expect(encodingOf(read)).toBe('binary/null');
  });

  test('encrypted: nothing in the clear, key id in the metadata, never twice the same', async () => {
    const codec = createCodec([first]);
    const payload = payloadOf(record(7));
    const [one, two] = (await codec.encode([payload, payload])) as [Payload, Payload];
    expect(encodingOf(one)).toBe('binary/encrypted');
    expect(Buffer.from(one.metadata?.['encryption-key-id'] ?? []).toString()).toBe(first.id);
    expect(Buffer.from(one.data ?? []).includes('customer')).toBe(false);
    expect(Buffer.from(one.data ?? [])).not.toEqual(Buffer.from(two.data ?? []));
  });

  test('after a rotation the old key still decrypts', async () => {
    const [written] = await createCodec([first]).encode([payloadOf('old')]);
    const rotated = createCodec([second, first]);
    const [read] = (await rotated.decode([written as Payload])) as [Payload];
    expect(valueOf(read)).toBe('old');
    const [fresh] = (await rotated.encode([payloadOf('new')])) as [Payload];
    expect(Buffer.from(fresh.metadata?.['encryption-key-id'] ?? []).toString()).toBe(second.id);
  });

  test('without the right key the error says which one is missing', async () => {
    const [written] = (await createCodec([first]).encode([payloadOf('secret')])) as [Payload];
    await expect(createCodec([second]).decode([written])).rejects.toThrow(
      `encrypted with key ${first.id}, but SYNCLINE_CODEC_KEY has ${second.id}; add the key it was written with`,
    );
    await expect(createCodec().decode([written])).rejects.toThrow('SYNCLINE_CODEC_KEY is not set');
  });

  test('a changed byte is found out', async () => {
    const [written] = (await createCodec([first]).encode([payloadOf('secret')])) as [Payload];
    const data = Buffer.from(written.data ?? []);
    data[15] = (data[15] ?? 0) ^ 1;
    await expect(createCodec([first]).decode([{ ...written, data }])).rejects.toThrow('changed or damaged');
    await expect(createCodec([first]).decode([{ ...written, data: data.subarray(0, 10) }])).rejects.toThrow('cut short');
  });

  test('damaged compression is named', async () => {
    const bad: Payload = { metadata: { encoding: Buffer.from('binary/brotli') }, data: Buffer.from('not brotli') };
    await expect(createCodec().decode([bad])).rejects.toThrow('compressed payload is damaged');
  });

  test("reads what Temporal's encryption samples wrote under the same key id", async () => {
    const inner = Buffer.from(temporal.api.common.v1.Payload.encode(payloadOf('from a sample')).finish());
    const foreign: Payload = {
      metadata: { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from(first.id) },
      data: encrypt(inner, first),
    };
    const [read] = (await createCodec([first]).decode([foreign])) as [Payload];
    expect(valueOf(read)).toBe('from a sample');
  });

  test('other encodings pass', async () => {
    const foreign: Payload = { metadata: { encoding: Buffer.from('json/protobuf') }, data: Buffer.from('{}') };
    const [read] = await createCodec([first]).decode([foreign]);
    expect(read).toBe(foreign);
  });
});

describe('stored bodies', () => {
  const { bodies } = createCodec();
  const sealed = createCodec([first]).bodies;

  test('any bytes survive, with and without keys, also bytes that look encoded', async () => {
    const lookalike = fc.uint8Array({ maxLength: 30 }).map((rest) => Buffer.concat([Buffer.from('\0SL1', 'latin1'), rest]));
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      lookalike,
    );
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        expect(await bodies.decode(await bodies.encode(bytes))).toEqual(bytes);
        expect(await sealed.decode(await sealed.encode(bytes))).toEqual(bytes);
      }),
      { numRuns: 100 },
    );
  });

  test('a small body without keys is not touched', async () => {
    const body = Buffer.from(JSON.stringify(record(1)));
    expect(await bodies.encode(body)).toBe(body);
  });

  test.each([
    ['compressed', bodies],
    ['compressed and encrypted', sealed],
  ])('1 MiB %s', async (_, codec) => {
    const body = Buffer.from(JSON.stringify(records(14_000)));
    const stored = await codec.encode(body);
    expect(stored.length).toBeLessThan(body.length / 4);
    expect(stored.includes('customer')).toBe(false);
    expect(await codec.decode(stored)).toEqual(body);
  });

  test('bodies from before encryption was switched on are still read', async () => {
    const body = Buffer.from(JSON.stringify(records(1000)));
    expect(await sealed.decode(await bodies.encode(body))).toEqual(body);
  });

  test('a wrong key, a changed header and a cut body are errors', async () => {
    const stored = await sealed.encode(Buffer.from('{"a":1}'));
    await expect(createCodec([second]).bodies.decode(stored)).rejects.toThrow(`encrypted with key ${first.id}`);
    const changed = Buffer.from(stored);
    changed[4] = 3; // claims to be compressed as well
    await expect(sealed.decode(changed)).rejects.toThrow('changed or damaged');
    await expect(sealed.decode(stored.subarray(0, 6))).rejects.toThrow('encrypted with key');
  });
});
