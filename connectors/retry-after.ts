/** Longest wait a header can make us keep: a vendor that asks for more is asked again after this. */
const maxWaitMs = 24 * 60 * 60 * 1000;

// RFC 9110 §5.6.7: IMF-fixdate, and the obsolete RFC 850 and asctime forms; all begin with a day name. `Date.parse` alone
// would also take "-5", "12" or "tomorrow 3" for dates.
const httpDate = /^(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?,? /i;

/**
 * Milliseconds a `Retry-After` header asks for: seconds or an HTTP date (RFC 9110 §10.2.3).
 *
 * Garbage and negative numbers are `undefined`, so that the caller's own backoff decides; a date in the past is 0; anything
 * above `capMs` is `capMs`.
 *
 * @param now - milliseconds since the epoch a date is compared with; pass the response's own `Date`, so that a skewed clock does no harm
 * @param capMs - @default 24 h
 */
export function parseRetryAfter(value: string | undefined, now: number, capMs = maxWaitMs): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), capMs);
  if (!httpDate.test(text)) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return undefined;
  return Math.min(Math.max(0, at - now), capMs);
}

/** {@link parseRetryAfter} of a response: `retry-after` against its own `date` (ours when it has none). */
export function retryAfterOf(headers: Readonly<Record<string, string>>, capMs?: number): number | undefined {
  const date = Date.parse(headers['date'] ?? '');
  return parseRetryAfter(headers['retry-after'], Number.isNaN(date) ? Date.now() : date, capMs);
}
