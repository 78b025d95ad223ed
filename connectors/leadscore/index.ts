import { z } from 'zod';
import { defineConnector, defineEnrichment, type VendorResponse } from '../connector';
import { VendorError, type VendorErrorCode, type VendorErrorFacts } from '../errors';
import { maskText } from '../mask';
import { retryAfterOf } from '../retry-after';

const byStatus: Readonly<Record<number, VendorErrorCode>> = {
  400: 'INVALID',
  401: 'AUTH',
  403: 'AUTH',
  404: 'NOT_FOUND',
  408: 'UNAVAILABLE',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  422: 'INVALID',
  429: 'RATE_LIMITED',
};

function errorFrom(response: VendorResponse): VendorError {
  const code = byStatus[response.status] ?? (response.status >= 500 ? 'UNAVAILABLE' : 'UNKNOWN');
  const said = z.object({ code: z.string(), message: z.string(), limit: z.enum(['SECOND', 'CONCURRENT']).optional() }).safeParse(response.data);
  const retryAfterMs = retryAfterOf(response.headers);
  const requestId = response.headers['x-request-id'];
  const facts: VendorErrorFacts = {
    code,
    status: response.status,
    message: `the scoring service answered ${response.status}${said.success ? `: ${maskText(said.data.message)}` : ''}`,
    vendorSaid: response.data,
  };
  if (said.success && /^\w{1,60}$/.test(said.data.code)) facts.vendorCode = said.data.code;
  if (retryAfterMs !== undefined) facts.retryAfterMs = retryAfterMs;
  if (code === 'RATE_LIMITED') facts.limitName = (said.success ? said.data.limit : undefined) ?? 'SECOND';
  if (requestId !== undefined) facts.requestId = requestId;
  return new VendorError(facts);
}

/**
 * A first-party scoring service: the example of an enrichment. Its address is the account's `…_BASE_URL`; the one here does
 * not resolve (RFC 2606).
 */
export const leadscore = defineConnector({
  vendor: 'leadscore',
  baseUrl: 'https://leadscore.invalid',
  credentials: ['apiKey'],
  plans: ['default'],
  limits: () => [
    { name: 'SECOND', kind: 'rolling', ms: 1_000, max: 50 },
    { name: 'CONCURRENT', kind: 'concurrent', max: 10 },
  ],
  auth: ({ apiKey }) => ({ 'x-api-key': apiKey ?? '' }),
  errorFrom,
  limitReadings: ({ headers }) => {
    const remaining = headers['x-ratelimit-remaining'];
    return remaining !== undefined && /^\d{1,9}$/.test(remaining) ? [{ limit: 'SECOND', remaining: Number(remaining) }] : [];
  },
});

const answer = z.object({ score: z.number() });

/** What a lead is worth, 0..100. Sent: our own customer id, nothing else. */
export const leadScore = defineEnrichment({
  connector: leadscore,
  name: 'lead-score',
  async fetch(call, ask: { customerId: string }): Promise<z.output<typeof answer>> {
    const response = await call.post('/v1/score', { customerId: ask.customerId });
    const read = answer.safeParse(response.data);
    if (read.success) return read.data;
    throw new VendorError({
      code: 'UNKNOWN',
      status: response.status,
      message: 'the scoring service answered without a score; expected {"score": number}',
      vendorSaid: response.data,
    });
  },
});
