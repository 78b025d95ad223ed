import type { RecordResult } from '../../connectors/connector';
import { VendorError } from '../../connectors/errors';
import { maskText } from '../../connectors/mask';
import type { RetryPolicy } from '../../schemas/plan';
import type { RowEnd } from '../../warehouse/port';
import { backoffMs } from '../backoff';
import { connectorFault } from '../delivery/vendor-answer';
import { capOf, type RowItem } from './items';

/** What a call made of its rows. */
export interface CallEnd {
  ends: RowEnd[];
  /** Open still, to be sent again here; changed in place. */
  again: RowItem[];
}

/** What is known while a call's end is judged. */
export interface CallFacts {
  retry: RetryPolicy;
  maxBatch: number;
  now: number;
  random: () => number;
  /** The breaker is open. */
  down: boolean;
  /** When a record of anybody last landed, epoch ms. */
  landedAtMs: number;
}

/** The vendor answered: each row by what it said of it. */
export function endsOf(batch: readonly RowItem[], results: readonly RecordResult[], facts: CallFacts): CallEnd {
  const byKey = new Map(results.map((result) => [result.key, result]));
  const call: CallEnd = { ends: [], again: [] };
  for (const item of batch) {
    const result = byKey.get(item.key);
    const attempts = item.attempts + 1;
    if (!result || result.status === 'retry') {
      const code = result?.code ?? 'MISSING_RESULT';
      later(call, item, { code, cause: result?.cause ?? 'the vendor answered the call but said nothing of this record' }, facts);
      continue;
    }
    const sent = { n: item.row.n, attempts, fingerprint: item.row.fingerprint };
    if (result.status === 'rejected')
      call.ends.push({ ...sent, outcome: 'rejected', code: result.code ?? 'REJECTED', cause: result.cause ?? 'refused without a reason' });
    else call.ends.push({ ...sent, outcome: result.status, targetKey: item.key, vendorId: result.vendorId ?? item.row.known?.vendorId });
  }
  return call;
}

/** The call failed as a whole, in a way a retry can mend. A 429 uses no attempt: the budget paces what comes after it. */
export function endsAfter(batch: readonly RowItem[], error: VendorError, facts: CallFacts): CallEnd {
  const call: CallEnd = { ends: [], again: [] };
  for (const item of batch) {
    if (error.code === 'RATE_LIMITED') {
      item.notBeforeMs = facts.now + backoffMs(facts.retry, 1, error, facts.random());
      call.again.push(item);
      continue;
    }
    item.cap = capOf(facts.maxBatch, item.attempts + 1);
    later(call, item, { code: error.code, cause: maskText(error.message), retryAfterMs: error.retryAfterMs }, facts);
  }
  return call;
}

/** Refused for good: alone, or without leave to search further. */
export function refused(batch: readonly RowItem[], error: VendorError, how: 'alone' | 'unsearched'): RowEnd[] {
  const cause = maskText(error.message);
  const code = error.vendorCode ?? error.code;
  return batch.map(({ row, attempts }) => ({
    n: row.n,
    attempts: attempts + 1,
    fingerprint: row.fingerprint,
    ...(how === 'alone'
      ? { outcome: 'rejected', code, cause }
      : {
          outcome: 'failed',
          code: 'SEARCH_LIMIT',
          cause: `refused together with ${batch.length - 1} others; the vendor does not say which is at fault: ${cause}`,
        }),
  }));
}

export function vendorErrorOf(thrown: unknown): VendorError {
  return thrown instanceof VendorError ? thrown : connectorFault(thrown);
}

/** A refusal of the call for what is in it; credentials are nobody's row. */
export function isRefusal(error: VendorError): boolean {
  return !error.retryable && error.code !== 'AUTH';
}

/**
 * One attempt more. Attempts run out only while others land: in an outage that every record meets, the last one is kept until
 * the vendor is back.
 */
export function later(call: CallEnd, item: RowItem, why: { code: string; cause: string; retryAfterMs?: number | undefined }, facts: CallFacts): void {
  const own = !facts.down || (item.failedAtMs > 0 && facts.landedAtMs > item.failedAtMs);
  const attempts = own ? item.attempts + 1 : Math.min(item.attempts + 1, facts.retry.maxAttempts - 1);
  const usedUp = attempts >= facts.retry.maxAttempts;
  const end = { n: item.row.n, attempts, fingerprint: item.row.fingerprint, code: why.code };
  if (usedUp) {
    call.ends.push({ ...end, outcome: 'failed', cause: `${attempts} attempts used up: ${why.cause}` });
    return;
  }
  call.ends.push({ ...end, outcome: null, cause: why.cause });
  item.attempts = attempts;
  item.failedAtMs ||= facts.now;
  item.notBeforeMs = facts.now + backoffMs(facts.retry, attempts, why, facts.random());
  call.again.push(item);
}
