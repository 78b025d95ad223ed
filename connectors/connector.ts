import type { z } from 'zod';
import type { Json } from '../schemas/json';
import type { ResendRule } from '../schemas/outcome';
import type { VendorError } from './errors';

/** One quota of a vendor. `rolling`: any span of `ms`; `fixed`: clock-aligned spans of `ms`; `concurrent`: calls in flight. */
export type Limit = { name: string; kind: 'rolling' | 'fixed'; ms: number; max: number } | { name: string; kind: 'concurrent'; max: number };

/** What the response headers say of a quota. */
export interface LimitReading {
  /** `name` of the `Limit` it speaks of. */
  limit: string;
  max?: number;
  remaining?: number;
  /** Milliseconds until the window starts anew, for fixed windows. */
  resetMs?: number;
}

/** A vendor's answer. Header names are lower case. */
export interface VendorResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  data: unknown;
}

/** One HTTP request a connector makes. */
export interface VendorRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Readonly<Record<string, string>>;
  body?: Json;
  /** A body that is not JSON, instead of `body`; `type` is its content type. */
  text?: { content: string; type: string };
  /** How a 2xx answer is read; as text, `data` is the string. Refusals are always tried as JSON. @default 'json' */
  answer?: 'json' | 'text';
  headers?: Readonly<Record<string, string>>;
  /** Counts by another of the vendor's quotas than its operation's: spends a permit from there. */
  quota?: string;
}

/** The only way a connector reaches its vendor. Each request spends one permit. Rejects with `VendorError`. */
export interface Call {
  request(request: VendorRequest): Promise<VendorResponse>;
  get(path: string, query?: Readonly<Record<string, string>>): Promise<VendorResponse>;
  post(path: string, body: Json): Promise<VendorResponse>;
}

/** How credentials become a session, for vendors whose tokens live an hour. */
export interface Login {
  /**
   * Where it goes, for vendors that hand out tokens at another host than their API's. An account with an address of its own (a
   * sandbox, a proxy) logs in there, too: its credentials never go past that address.
   *
   * @default the connector's `baseUrl`
   */
  readonly baseUrl?: string;
  /** The exchange: sent with what `auth` makes of the credentials alone, spending a permit like any request. */
  request(credentials: Readonly<Record<string, string>>): VendorRequest;
  /** What `auth` is to have besides the credentials (the token); null = the answer holds none. */
  read(response: VendorResponse): Record<string, string> | null;
}

/** All that is known of one vendor, apart from its operations. */
export interface Connector {
  readonly kind: 'connector';
  readonly vendor: string;
  /** Public address; an account may override it (`SYNCLINE_<VENDOR>_<ACCOUNT>_BASE_URL`). */
  readonly baseUrl: string;
  /** Credential fields, read from `SYNCLINE_<VENDOR>_<ACCOUNT>_<FIELD>` (or `…_FILE`), upper-snake of these names. */
  readonly credentials: readonly string[];
  /** Names of its quotas, for a vendor that counts families of endpoints apart: each has a budget of its own. @default one quota, without a name */
  readonly quotas?: readonly string[];
  /** Limits of one account on `plan`, of the quota named; source and date in the vendor folder's README. */
  limits(plan: string | undefined, quota?: string): readonly Limit[];
  /** Plans `limits` knows; the first is the default. */
  readonly plans: readonly string[];
  /** Asked before the first request, and again whenever the vendor refuses the session. */
  readonly login?: Login;
  /** Headers that authenticate a request. */
  auth(credentials: Readonly<Record<string, string>>): Record<string, string>;
  /** Turns a non-2xx answer into the one taxonomy. `AUTH`, whatever the status, has the credentials read again, once. */
  errorFrom(response: VendorResponse): VendorError;
  /**
   * A failure inside a 2xx answer, for vendors that say "too many calls" or "no such field" with 200; null = a success.
   */
  failureIn?(response: VendorResponse): VendorError | null;
  /** Reads the vendor's own view of its quotas. Malformed headers are left out, never guessed. */
  limitReadings(response: Pick<VendorResponse, 'headers'>): LimitReading[];
}

/** Declares a connector. */
export function defineConnector(connector: Omit<Connector, 'kind'>): Connector {
  return { kind: 'connector', ...connector };
}

/** What a vendor said of one record of a call. */
export interface RecordResult {
  /** The record's `key`, as the operation names it. */
  key: string;
  /** `retry`: this record alone may be tried again (a lock, a hiccup). */
  status: 'accepted' | 'verified' | 'rejected' | 'retry';
  vendorId?: string;
  /** For `rejected` and `retry`: stable code (the vendor's where it has one). */
  code?: string;
  /** In plain words, personal data masked. */
  cause?: string;
  /** The vendor's words in full. */
  vendorSaid?: Json;
}

/** One kind of write a vendor offers. */
export interface Operation<I = never> {
  readonly kind: 'operation';
  readonly connector: Connector;
  /** Stable, e.g. `contacts.upsert`. */
  readonly name: string;
  /** What it writes, e.g. `contact`. */
  readonly object: string;
  /** Which of the connector's `quotas` its first request counts by; a later one that counts by another names it. */
  readonly quota?: string;
  /** Requests of one call that may each take long: its claims hold for so many timeouts. @default 1 */
  readonly requests?: number;
  /** Records per call. */
  readonly maxBatch: number;
  /** Bytes of JSON per call; a single larger record is refused with its size. @default 1 MiB */
  readonly maxBatchBytes: number;
  readonly resend: ResendRule;
  readonly input: z.ZodType<I>;
  /** The record's identity at the vendor, in its normal form (e.g. lower-case e-mail). Two equal keys never share a call. */
  key(input: I): string;
  /** Fields the input writes. Decides what may be superseded: only what a newer version writes in full. */
  fields(input: I): string[];
  /** The input without `fields`; null when nothing is left to write. */
  without(input: I, fields: readonly string[]): I | null;
  /** One vendor call for the batch (more requests only where the vendor wants them). One result per key, in any order. */
  send(call: Call, batch: readonly I[]): Promise<RecordResult[]>;
}

/** Declares an operation of a connector. */
export function defineOperation<S extends z.ZodType>(
  operation: Omit<Operation<z.output<S>>, 'kind' | 'input' | 'maxBatchBytes'> & { input: S; maxBatchBytes?: number },
): Operation<z.output<S>> {
  return { kind: 'operation', maxBatchBytes: 1024 * 1024, ...operation } as Operation<z.output<S>>;
}

/** How far a vendor's job is. */
export type JobState =
  | {
      state: 'running';
      /** When to look again. */
      againMs: number;
    }
  | {
      state: 'ended';
      /** One result per row the vendor names. Rows it doesn't name share `unnamed`. */
      results: RecordResult[];
      /** What is true of the rows that `results` leaves out: the vendor took them, or it says only how many it took. */
      unnamed: 'accepted' | 'verified' | 'unattributed';
      /** With `unattributed`: how many rows of the job the vendor took, when it says. */
      taken?: number;
      /** Audiences: which part of the rows the vendor knows as people, 0 to 1, when it says; a range where it says no more. */
      matched?: { least: number; most: number };
    }
  | {
      /** The whole job came to nothing; it may be handed over again when `retry` says so. */
      state: 'failed';
      retry: boolean;
      code: string;
      /** In plain words, personal data masked. */
      cause: string;
      vendorSaid?: Json;
    };

/** A write that a vendor takes as a job: handed over in one go, landed later, results read back. */
export interface JobOperation<I = never> {
  readonly kind: 'job';
  readonly connector: Connector;
  /** Stable, e.g. `profiles.import`. */
  readonly name: string;
  /** What it writes, e.g. `profile`. */
  readonly object: string;
  /** Which of the connector's `quotas` its requests count by. */
  readonly quota?: string;
  /** Rows per job. */
  readonly maxRows: number;
  /** Bytes of the body of one job. */
  readonly maxBytes: number;
  readonly resend: ResendRule;
  readonly input: z.ZodType<I>;
  /** The record's identity at the vendor, in its normal form. Two equal keys never share a job. */
  key(input: I): string;
  /**
   * Hands the rows over; resolves with the vendor's name of the job, which is recorded before anybody polls it. `name` is ours,
   * the same whenever the same rows of the same run are handed over: for vendors that take an id of the caller's.
   */
  submit(call: Call, rows: readonly I[], name?: string): Promise<{ job: string }>;
  /** Looks how far the job is, and reads what became of its rows once it has ended. */
  poll(call: Call, job: string, rows: readonly I[]): Promise<JobState>;
}

/** Declares a job operation of a connector. */
export function defineJobOperation<S extends z.ZodType>(
  operation: Omit<JobOperation<z.output<S>>, 'kind' | 'input'> & { input: S },
): JobOperation<z.output<S>> {
  return { kind: 'job', ...operation } as JobOperation<z.output<S>>;
}

/** A read that adds to an event before it is mapped: a score, a segment, a firmographic. */
export interface Enrichment<I = never, O = unknown> {
  readonly kind: 'enrichment';
  readonly connector: Connector;
  readonly name: string;
  /** Which of the connector's `quotas` its requests count by. */
  readonly quota?: string;
  fetch(call: Call, input: I): Promise<O>;
}

/** Declares an enrichment of a connector. */
export function defineEnrichment<I, O extends Json>(enrichment: Omit<Enrichment<I, O>, 'kind'>): Enrichment<I, O> {
  return { kind: 'enrichment', ...enrichment };
}
