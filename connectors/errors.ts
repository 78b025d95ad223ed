import type { BudgetScope } from '../schemas/plan';

/**
 * Every way a vendor call can end other than well. `RATE_LIMITED` and `UNAVAILABLE` are retried, `UNKNOWN` too (and
 * surfaced: an unknown error is never classed permanent); the others are permanent.
 */
export type VendorErrorCode = 'RATE_LIMITED' | 'UNAVAILABLE' | 'UNKNOWN' | 'AUTH' | 'INVALID' | 'NOT_FOUND' | 'CONFLICT' | 'TOO_LARGE';

/** What is known of a failed call. */
export interface VendorErrorFacts {
  code: VendorErrorCode;
  /** In plain words, no personal data: safe for logs and failure messages. */
  message: string;
  /** HTTP status; null when there was no answer. */
  status: number | null;
  /** The vendor's own code, e.g. `VALIDATION_ERROR`. */
  vendorCode?: string;
  /** The answer in full; goes only where the codec does. */
  vendorSaid?: unknown;
  /** Wait the vendor asked for, milliseconds. */
  retryAfterMs?: number;
  /** Which quota refused, in the vendor's words (`TEN_SECONDLY_ROLLING`), when it says. */
  limitName?: string;
  requestId?: string;
  /** The request may have taken effect: it left, and no answer was read. */
  ambiguous?: boolean;
  /** No HTTP answer at all (refused, reset, timed out): counts for the breaker whatever the record. */
  connection?: boolean;
}

/** The one error that leaves a connector. axios errors never do. */
export class VendorError extends Error implements VendorErrorFacts {
  override readonly name = 'VendorError';
  readonly code: VendorErrorCode;
  readonly status: number | null;
  readonly vendorCode?: string;
  readonly vendorSaid?: unknown;
  readonly retryAfterMs?: number;
  readonly limitName?: string;
  readonly requestId?: string;
  readonly ambiguous: boolean;
  readonly connection: boolean;

  constructor(facts: VendorErrorFacts) {
    super(facts.message);
    this.code = facts.code;
    this.status = facts.status;
    if (facts.vendorCode !== undefined) this.vendorCode = facts.vendorCode;
    if (facts.vendorSaid !== undefined) this.vendorSaid = facts.vendorSaid;
    if (facts.retryAfterMs !== undefined) this.retryAfterMs = facts.retryAfterMs;
    if (facts.limitName !== undefined) this.limitName = facts.limitName;
    if (facts.requestId !== undefined) this.requestId = facts.requestId;
    this.ambiguous = facts.ambiguous ?? false;
    this.connection = facts.connection ?? false;
  }

  /** Whether trying again can help. */
  get retryable(): boolean {
    return this.code === 'RATE_LIMITED' || this.code === 'UNAVAILABLE' || this.code === 'UNKNOWN';
  }
}

/**
 * A further request of a call had no permit in the time its call may wait: it was not sent. Ambiguous when an earlier one may
 * have written something; else the whole call came to nothing, and can be made again.
 */
export class NoPermitInTime extends VendorError {
  constructor(
    vendor: string,
    /** Where it waited. */
    readonly scopes: readonly BudgetScope[],
    ambiguous: boolean,
  ) {
    super({ code: 'RATE_LIMITED', status: null, ambiguous, message: `no permit for a further request to ${vendor} in the time its call may take` });
  }
}
