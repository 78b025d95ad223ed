import type { Json } from '../schemas/json';

/** A request as it came in: the raw bytes, since every signature is over them. */
export interface RawRequest {
  method: string;
  /** Full public URL (HubSpot v3 signs it); built from `GATEWAY_PUBLIC_URL`, not from the Host header. */
  url: string;
  /** Lower-case names; the first value of repeated headers. */
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
}

/** Verdict on a signature. */
export type Verification = { ok: true } | { ok: false; reason: 'missing_signature' | 'bad_signature' | 'stale'; detail: string };

/** One event found in a delivery. */
export interface ExtractedEvent {
  /** Stable over redeliveries. */
  id: string;
  topic: string;
  /** Source time, milliseconds since the epoch; null when the source says none (arrival time then stands in). */
  occurredAt: number | null;
  body: Json;
}

export interface VerifyOptions {
  /** Signing secrets, newest first; any may match (rotation). */
  secrets: readonly string[];
  /** Milliseconds since the epoch. */
  now: number;
}

/** Everything known of one provider's webhooks. */
export interface WebhookSource {
  readonly kind: 'webhook-source';
  readonly vendor: string;
  /** Content types accepted. @default ['application/json'] */
  readonly contentTypes: readonly string[];
  /** Constant time, over the raw body. Never throws on bad input. */
  verify(request: RawRequest, options: VerifyOptions): Verification | Promise<Verification>;
  /** The events of a verified delivery; several for sources that send arrays. Throws `UnreadableDelivery`. */
  events(request: RawRequest, body: Json): ExtractedEvent[];
  /** Headers a provider would send with this body: for simulators, samples and tests. */
  sign(delivery: SignableDelivery): Record<string, string> | Promise<Record<string, string>>;
}

export interface SignableDelivery {
  method: string;
  url: string;
  body: Buffer;
  secret: string;
  /** Milliseconds since the epoch. */
  now: number;
  topic: string;
  eventId: string;
}

/** A verified delivery that can't be read as this source's events: answered 400. `message` names what, where, expected. */
export class UnreadableDelivery extends Error {
  override readonly name = 'UnreadableDelivery';
}
