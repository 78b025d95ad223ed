import type { Receipt } from '../../ledger/port';

/** What a receiver reports of its work. Names come from the registry, never from a request. */
export interface ReceiverMetrics {
  /** `source` is the vendor, or `unknown` when the path named none. */
  answered(answer: { status: number; code: string; source: string; seconds: number }): void;
  events(events: { syncId: string; receipt: Receipt | 'ignored'; count: number }): void;
  /** Deliveries between a read body and the end of their insert. */
  inFlight(count: number): void;
  /** An insert ended after its delivery had been answered with 503. */
  late(insert: { committed: boolean }): void;
}

export const noMetrics: ReceiverMetrics = {
  answered: () => undefined,
  events: () => undefined,
  inFlight: () => undefined,
  late: () => undefined,
};
