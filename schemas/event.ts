import type { Json } from './json';

/**
 * Order of two values of one record. `at` is the source's own time; events of one source second (Stripe) tie there and go
 * by `arrival`.
 */
export interface Version {
  /** Source time, milliseconds since the epoch. */
  at: number;
  /** Arrival at our door, microseconds since the epoch. */
  arrival: number;
}

/** Negative when `a` is older than `b`, 0 when they are the same version. */
export function compareVersions(a: Version, b: Version): number {
  return a.at - b.at || a.arrival - b.arrival;
}

/** One event of a webhook source, as the inbox keeps it and a run receives it. */
export interface SourceEvent {
  /** The source's id of the event, stable over redeliveries (formats: docs/architecture.md). */
  id: string;
  /** Vendor that sent it, e.g. `shopify`. */
  source: string;
  /** Source account by configuration (`accounts.ts`), never from an unsigned header. */
  account: string;
  /** What happened, in the source's words, e.g. `customers/update`. */
  topic: string;
  /** When we got it, ISO 8601 UTC. */
  receivedAt: string;
  version: Version;
  /** The parsed body (one element of it for sources that send arrays). */
  body: Json;
}
