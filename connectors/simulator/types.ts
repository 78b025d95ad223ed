import type { Limit } from '../connector';
import type { SimConfig } from './config';
import type { FaultKind } from './faults';
import type { WriteResult, SimRecord } from './records';

/** What a simulated vendor sends back. */
export interface SimAnswer {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON; a string as it is; undefined = no body. */
  body?: unknown;
}

/** A request as a vendor's routes see it. */
export interface SimRequest {
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string | undefined>>;
  body: unknown;
  /** Arrival, milliseconds since the epoch. */
  now: number;
  requestId: string;
  /** The token that authenticated it. */
  token: string;
  /** Records this call must refuse (fault `partial`), by key. */
  refused: ReadonlyMap<string, RefusedRecord>;
  config: SimConfig;
  /** Upserts a record; properties are merged. Under the fault `lying200` nothing is kept. */
  write(collection: string, key: string, properties: Readonly<Record<string, string>>): WriteResult;
  find(collection: string, key: string): SimRecord | undefined;
  findById(collection: string, id: string): SimRecord | undefined;
  /** Takes a record away; false = it was not there. Under the fault `lying200` it stays. */
  remove(collection: string, key: string): boolean;
  /** What the vendor remembers beside records, e.g. its jobs. Forgotten at a reset. */
  memory: Map<string, unknown>;
}

/** How a record of a `partial` fault is refused. */
export interface RefusedRecord {
  code: string;
  message: string;
}

/** One endpoint of a simulated vendor. */
export interface SimRoute {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Fastify path, e.g. `/crm/v3/objects/contacts/:id`. */
  path: string;
  /** Needs no token and uses up no quota: where tokens come from. */
  open?: true;
  /** Which of the vendor's quotas it counts by. */
  quota?: string;
  /** Keys of the records a call is about: faults match on them. */
  keys?(request: Pick<SimRequest, 'params' | 'query' | 'body'>): string[];
  handle(request: SimRequest): SimAnswer;
  /** Fault `emptyResult`: success by status, nothing by content. */
  empty?(request: SimRequest): SimAnswer;
}

/** The state of one quota, for headers. */
export interface WindowView {
  limit: Limit;
  remaining: number;
}

/** A vendor, as the shared simulator runs it: endpoints and the vendor's own words. Everything else is machinery. */
export interface SimulatedVendor {
  vendor: string;
  plans: readonly string[];
  limits(plan: string | undefined, quota?: string): readonly Limit[];
  /** Who calls; null = `failure(401)`. */
  token(headers: Readonly<Record<string, string | undefined>>): string | null;
  routes: readonly SimRoute[];
  /** Headers of every answer; `windows`: the limits of the route's quota. */
  headers(windows: readonly WindowView[], requestId: string, status: number): Record<string, string>;
  /** Larger bodies are answered as `failure(413)`. @default 10 MiB */
  maxBodyBytes?: number;
  /** The answer over a limit: a 429, or whatever the vendor says instead (a 403, an error inside a 200). */
  limited(limit: Limit, requestId: string): SimAnswer;
  /** The documented answer for an error; a vendor that hides it inside a 200 says 200. */
  failure(status: number, requestId: string, detail?: string): SimAnswer;
}

/** What happened to one call: for stats. */
export interface CallEvent {
  token: string;
  status: number | 'none';
  limitedBy?: string;
  kind?: FaultKind;
}
