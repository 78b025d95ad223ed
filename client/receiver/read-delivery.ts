import { type ExtractedEvent, type RawRequest, UnreadableDelivery, type Verification } from '../../connectors/webhook';
import type { Json } from '../../schemas/json';
import type { SourceAccount } from '../../syncs/accounts-api';
import { Refusal } from './answers';

/** The media type of a request is one the source sends. */
export function checkContentType(request: Pick<RawRequest, 'headers'>, accepted: readonly string[]): void {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const coding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (accepted.includes(type) && coding === 'identity') return;
  const found = coding === 'identity' ? `content type ${type === '' ? 'missing' : 'not accepted here'}` : 'content encoding not accepted';
  throw new Refusal('UNSUPPORTED_CONTENT_TYPE', found, `send ${accepted.join(' or ')}, not compressed`);
}

/** The signature is the source's own. */
export async function checkSignature(request: RawRequest, account: SourceAccount, options: { secrets: readonly string[]; now: number }): Promise<void> {
  const verification = await account.source.verify(request, options);
  if (!verification.ok) throw new Refusal(signatureCode[verification.reason], verification.detail, signatureAdvice(verification, account));
}

type Failed = Extract<Verification, { ok: false }>;

const signatureCode = {
  missing_signature: 'MISSING_SIGNATURE',
  bad_signature: 'BAD_SIGNATURE',
  stale: 'STALE',
} as const satisfies Record<Failed['reason'], string>;

function signatureAdvice({ reason }: Failed, account: SourceAccount): string {
  if (reason === 'missing_signature') return `send it as ${account.source.vendor} does, with its signature headers`;
  if (reason === 'stale') return 'sign it again now, and check the clocks of both machines';
  return `check that ${account.secretVariable} is this account's signing secret, and that nothing on the way changes the body`;
}

/** The events of a verified delivery. */
export function readEvents(request: RawRequest, account: SourceAccount): ExtractedEvent[] {
  const events = eventsOf(request, account, parsed(request.body));
  for (const event of events) checkNames(event);
  return events;
}

function parsed(body: Buffer): Json {
  try {
    return JSON.parse(body.toString('utf8')) as Json;
  } catch {
    throw new Refusal('UNREADABLE_JSON', 'the body is not JSON', 'send the body as JSON in UTF-8');
  }
}

function eventsOf(request: RawRequest, account: SourceAccount, body: Json): ExtractedEvent[] {
  try {
    return account.source.events(request, body);
  } catch (error) {
    if (!(error instanceof UnreadableDelivery)) throw error;
    throw new Refusal('UNREADABLE_DELIVERY', error.message, `compare the delivery with what ${account.source.vendor} documents`);
  }
}

/** Id and topic become ids, paths and database text: neither takes a NUL or half a surrogate pair. */
function checkNames(event: ExtractedEvent): void {
  for (const [what, text] of [
    ['id', event.id],
    ['topic', event.topic],
  ] as const) {
    if (typeof text !== 'string' || text === '' || text.includes('\0') || !isWellFormed(text)) {
      throw new Refusal('UNREADABLE_DELIVERY', `an event has an unusable ${what}`, `expected text without NUL and broken characters as ${what}`);
    }
  }
}

function isWellFormed(text: string): boolean {
  try {
    encodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
