import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { UnreadableDelivery, type RawRequest } from '../../connectors/webhook';
import type { Json } from '../../schemas/json';
import { subjects } from './webhook-sources';

const SECRET = 'c2FuZGJveC1zZWNyZXQtMDAwMQ=='; // base64, since Standard Webhooks want it; plain text to all others
const OLD_SECRET = 'c2FuZGJveC1zZWNyZXQtMDAwMA==';
const NOW = 1_790_609_400_000; // whole seconds: most schemes sign no more
const URL_ = 'https://hooks.example.com/webhooks/hubspot/main?from=a%2Fb%20c';
const DEFAULT_TOLERANCE_MS = 5 * 60 * 1000;

const delivery = (body: Buffer, overrides: { secret?: string; now?: number; eventId?: string } = {}) => ({
  method: 'POST',
  url: URL_,
  body,
  secret: SECRET,
  now: NOW,
  topic: 'sample/topic',
  eventId: 'event-0001',
  ...overrides,
});

const requestOf = (body: Buffer, headers: RawRequest['headers']): RawRequest => ({
  method: 'POST',
  url: URL_,
  headers,
  body,
});
const options = { secrets: [SECRET], now: NOW };

it('finds the sources the product ships', () => {
  expect(subjects.map(({ name }) => name).sort()).toEqual(expect.arrayContaining(['github', 'hubspot', 'shopify', 'standard-webhooks', 'stripe', 'svix']));
});

describe.each(subjects)('$name', ({ source, body, folder }) => {
  let headers: Record<string, string>;
  let signatureHeader: string;
  let timeIsSigned: boolean;

  beforeAll(async () => {
    headers = await source.sign(delivery(body));
    const other = await source.sign(delivery(body, { secret: OLD_SECRET }));
    const later = await source.sign(delivery(body, { now: NOW + 1_000_000 }));
    const changed = Object.keys(headers).filter((name) => headers[name] !== other[name]);
    expect(changed).toHaveLength(1);
    signatureHeader = changed[0]!;
    timeIsSigned = headers[signatureHeader] !== later[signatureHeader];
  });

  const verify = (changes: Partial<RawRequest>, at = options) => source.verify({ ...requestOf(body, headers), ...changes }, at);
  const signedWith = (value: string | undefined) => ({ headers: { ...headers, [signatureHeader]: value } });

  it('accepts what it signs, under lower-case header names and a content type it takes', async () => {
    expect(await verify({})).toEqual({ ok: true });
    expect(Object.keys(headers)).toEqual(Object.keys(headers).map((name) => name.toLowerCase()));
    expect(source.contentTypes).toContain(headers['content-type']);
  });

  it('accepts any bytes, signed as they came', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d]), Buffer.alloc(1024 * 1024, 'é')]) {
      const signed = await source.sign(delivery(bytes));
      expect(await source.verify(requestOf(bytes, signed), options)).toEqual({ ok: true });
    }
  });

  it('refuses a changed body', async () => {
    const flipped = Buffer.from(body);
    flipped[flipped.length >> 1]! ^= 1;
    for (const changed of [flipped, Buffer.concat([body, Buffer.from(' ')]), body.subarray(1), Buffer.alloc(0)]) {
      expect(await verify({ body: changed })).toMatchObject({ ok: false, reason: 'bad_signature' });
    }
  });

  it('refuses bytes that decode to the signed text without being it', async () => {
    const text = Buffer.from('{"name":"\ufffd"}');
    const signed = await source.sign(delivery(text));
    const invalid = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(invalid.toString()).toBe(text.toString());
    expect(await source.verify(requestOf(invalid, signed), options)).toMatchObject({
      ok: false,
      reason: 'bad_signature',
    });
  });

  it('refuses a changed signature, whichever character', async () => {
    const good = headers[signatureHeader]!;
    for (let index = 0; index < good.length; index += 1) {
      const changed = good.slice(0, index) + (good[index] === '2' ? '3' : '2') + good.slice(index + 1);
      expect(await verify(signedWith(changed))).toMatchObject({ ok: false });
      expect(await verify(signedWith(good.slice(0, index)))).toMatchObject({ ok: false });
    }
  });

  it('accepts a rotated secret wherever it stands, and no longer once it is gone', async () => {
    const byOld = await source.sign(delivery(body, { secret: OLD_SECRET }));
    expect(await verify({ headers: byOld }, { ...options, secrets: [SECRET, OLD_SECRET] })).toEqual({ ok: true });
    expect(await verify({ headers: byOld }, { ...options, secrets: [OLD_SECRET, SECRET] })).toEqual({ ok: true });
    expect(await verify({ headers: byOld })).toMatchObject({ ok: false, reason: 'bad_signature' });
  });

  it('refuses everything without a secret, also what an empty secret signs', async () => {
    expect(await verify({}, { ...options, secrets: [] })).toMatchObject({ ok: false, reason: 'bad_signature' });
    const byEmpty = await Promise.resolve()
      .then(() => source.sign(delivery(body, { secret: '' })))
      .catch(() => headers); // some won't sign with it at all
    expect(await verify({ headers: byEmpty }, { ...options, secrets: [''] })).toMatchObject({
      ok: false,
      reason: 'bad_signature',
    });
  });

  it('calls a missing or empty signature missing, and names its header', async () => {
    for (const value of [undefined, '']) {
      const verdict = await verify(signedWith(value));
      expect(verdict).toMatchObject({ ok: false, reason: 'missing_signature' });
      expect((verdict as { detail: string }).detail.toLowerCase()).toContain(signatureHeader);
    }
    expect(await verify({ headers: {} })).toMatchObject({ ok: false, reason: 'missing_signature' });
  });

  it('refuses garbage in the signature header', async () => {
    const good = headers[signatureHeader]!;
    const garbage = ['=', ',', 'v1,', 'v1=', 't=,v1=', 'sha256=', 'sha1=', 'null', '%', '\u0000', 'é', '€'.repeat(44), '😀'];
    const spoilt = [` ${good}\n`, `"${good}"`, `${good.slice(0, -1)}\ufffd`, good + '\u0000', 'a'.repeat(16_000)];
    for (const value of [...garbage, ...spoilt]) expect(await verify(signedWith(value))).toMatchObject({ ok: false });
    for (const value of [`${good}, ${good}`, `${good},${good}`]) {
      await expect(Promise.resolve(verify(signedWith(value)))).resolves.toHaveProperty('ok'); // repeated header, joined
    }
  });

  it('refuses a delivery that is too old or from the future, if its time is signed', async () => {
    const verdictAt = async (now: number) => verify({}, { ...options, now });
    const stale = timeIsSigned ? { ok: false, reason: 'stale' } : { ok: true };
    for (const sign of [1, -1]) {
      expect(await verdictAt(NOW + sign * DEFAULT_TOLERANCE_MS)).toEqual({ ok: true });
      expect(await verdictAt(NOW + sign * (DEFAULT_TOLERANCE_MS + 1000))).toMatchObject(stale);
      expect(await verdictAt(NOW + sign * 365 * 24 * 3600 * 1000)).toMatchObject(stale);
    }
  });

  it('refuses what any other source signs', async () => {
    for (const other of subjects.filter(({ source: candidate }) => candidate !== source)) {
      expect(await verify({ headers: await other.source.sign(delivery(body)) })).toMatchObject({ ok: false });
    }
  });

  it('never throws and never accepts, whatever stands in the headers', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.base64String(), fc.stringMatching(/^[0-9a-f]+$/));
    const names = Object.keys(headers);
    await fc.assert(
      fc.asyncProperty(text, fc.array(text, { minLength: names.length, maxLength: names.length }), async (value, values) => {
        expect(await verify(signedWith(value))).toMatchObject({ ok: false });
        const all = Object.fromEntries(names.map((name, index) => [name, values[index]!]));
        expect(await verify({ headers: all })).toMatchObject({ ok: false });
        for (const name of names) {
          await expect(Promise.resolve(verify({ headers: { ...headers, [name]: value } }))).resolves.toHaveProperty('ok');
        }
      }),
      { numRuns: 150 },
    );
  });

  it('finds events with ids that a later redelivery repeats', async () => {
    const json = JSON.parse(body.toString()) as Json;
    const events = source.events(requestOf(body, headers), json);
    expect(events.length).toBeGreaterThan(0);
    for (const event of events) {
      expect(event.id).toMatch(/^[\x21-\x7e]+$/);
      expect(event.topic).not.toBe('');
      expect(event.occurredAt === null || event.occurredAt <= NOW + 1000).toBe(true);
    }
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    const again = await source.sign(delivery(body, { now: NOW + 3_600_000 }));
    expect(source.events(requestOf(body, again), json).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  });

  it('reads any JSON, or says what is wrong with it without quoting it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          for (const event of source.events(requestOf(body, headers), value as Json)) expect(typeof event.id).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableDelivery);
          expect((error as Error).message).toMatch(/expected .+, got \w+/);
        }
      }),
    );
  });

  if (folder === undefined) return;
  const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
  (hasOpenssl ? it : it.skip)('is signed by the openssl line of its README', async () => {
    const { line, millisecondTime } = manualLine(folder);
    for (const text of [body.toString(), '{"quote":"it\'s \\"$HOME\\" `x` %s","city":"Zürich 🚚"}']) {
      const signed = await source.sign(delivery(Buffer.from(text)));
      const run = spawnSync('sh', ['-c', `${line}\nprintf %s "$SIGNATURE"`], {
        encoding: 'utf8',
        env: {
          PATH: process.env.PATH,
          SECRET,
          BODY: text,
          URL: URL_.replaceAll('%2F', '/'), // by hand nobody encodes what HubSpot would decode
          ID: 'event-0001',
          T: String(millisecondTime ? NOW : NOW / 1000),
        },
      });
      expect(run).toMatchObject({ stderr: '', stdout: signed[signatureHeader] });
    }
  });
});

/** The lines of a README that sign, and whether its times are in milliseconds. */
function manualLine(folder: string): { line: string; millisecondTime: boolean } {
  const files = ['webhooks.md', 'README.md'].map((name) => path.join(folder, name)).filter((file) => existsSync(file));
  const text = files.map((file) => readFileSync(file, 'utf8')).find((content) => content.includes('\nSIGNATURE='));
  if (text === undefined) throw new Error(`${folder}: no README shows how to sign by hand (a line SIGNATURE=...)`);
  const lines = text.split('\n');
  expect(lines.length).toBeLessThanOrEqual(41);
  return {
    line: lines.filter((candidate) => /^(KEY|SIGNATURE)=/.test(candidate)).join('\n'),
    millisecondTime: text.includes('$(date +%s)000'),
  };
}
