import { hashedKey, type HashedParts } from '../identifiers/hashed-member';
import type { SimAnswer, SimRequest } from '../simulator/types';
import { badParameter, said, sessionProblems } from './simulator-words';

type Verb = 'add' | 'remove';

/** A batch as it came: its rows, and how its request writes (under the fault `lying200` nothing is kept). */
interface Batch {
  request: SimRequest;
  rows: Row[];
  invalid: number;
}

interface Row {
  key: string;
  /** Sent with incorrect hashing, or refused by the fault `partial`. */
  invalid: boolean;
}

/** Ten thousand rows are not read twice. */
const read = new WeakMap<object, Row[]>();

interface Session {
  id: string;
  audience: string;
  verb: Verb;
  startedAt: number;
  endedAt: number;
  stage: 'uploading' | 'matching' | 'finished';
  /** By `batch_seq`: the same one again takes its own place. */
  batches: Map<number, Batch>;
  closed: 'no' | 'finished' | 'timedOut';
  matched: number;
}

/** "we automatically terminate the session 90 minutes after we receive your first batch" */
const sessionMs = 90 * 60_000;
const maxRows = 10_000;

const sessionKey = (audience: string, id: string): string => `session/${audience}/${id}`;
const hex = /^[0-9a-f]{64}$/;

interface Body {
  payload?: { schema?: unknown; data?: unknown };
  session?: { session_id?: unknown; batch_seq?: unknown; last_batch_flag?: unknown };
}

/** Rows of a call by column name; empty texts are left out. */
function cells(body: unknown): Record<string, string>[] {
  const { payload } = (body ?? {}) as Body;
  const schema = Array.isArray(payload?.schema) ? payload.schema.map(String) : [];
  const data = Array.isArray(payload?.data) ? (payload.data as unknown[]) : [];
  return data.map((row) =>
    Object.fromEntries(
      (Array.isArray(row) ? row : [row]).flatMap((cell, n): [string, string][] => (typeof cell === 'string' && cell !== '' ? [[schema[n] ?? '', cell]] : [])),
    ),
  );
}

/** The row as a member with one address and one number; not hashed as Meta wants it = under its values as they came. */
function rowOf(cell: Record<string, string>): Row {
  const { EMAIL: e, PHONE: p, FN: f, LN: l, ZIP: z, COUNTRY: c, EXTERN_ID: x, ...others } = cell;
  const hashed = [e, p, f, l, z, c].every((value) => value === undefined || hex.test(value));
  if (!hashed || Object.keys(others).length > 0 || (e ?? p ?? x) === undefined) return { key: JSON.stringify(cell), invalid: true };
  const parts: HashedParts = {
    ...(e && { e: [e] }),
    ...(p && { p: [p] }),
    ...(f && { f }),
    ...(l && { l }),
    ...(c && { c }),
    ...(z && { z }),
    ...(x && { x }),
  };
  return { key: hashedKey(parts), invalid: false };
}

function rowsOf(body: unknown): readonly Row[] {
  if (typeof body !== 'object' || body === null) return [];
  const rows = read.get(body) ?? cells(body).map(rowOf);
  read.set(body, rows);
  return rows;
}

/** Keys of the members a call is about. */
export function keysOf(body: unknown): string[] {
  return rowsOf(body).map(({ key }) => key);
}

/** One call of a session: counted at once, worked off when the session has ended. */
export function receive(request: SimRequest, verb: Verb): SimAnswer {
  const { requestId } = request;
  const audience = request.params['audience'] ?? '';
  const { session_id: id, batch_seq: seq, last_batch_flag: last } = ((request.body ?? {}) as Body).session ?? {};
  if (!Number.isSafeInteger(id) || Number(id) < 1) return badParameter(requestId, 'session_id must be a positive 64-bit integer');
  if (!Number.isSafeInteger(seq) || Number(seq) < 1) return badParameter(requestId, 'batch_seq must be a positive integer');
  const rows = rowsOf(request.body).map(({ key, invalid }) => ({ key, invalid: invalid || request.refused.has(key.toLowerCase()) }));
  if (rows.length === 0 || rows.length > maxRows) return badParameter(requestId, `Data is missing or has more than ${maxRows} entries`);

  const session = opened(request, audience, String(id), verb);
  if (session.closed !== 'no') return said(400, requestId, sessionProblems[session.closed]);
  session.batches.set(Number(seq), { request, rows, invalid: rows.filter(({ invalid }) => invalid).length });
  if (last === true) end(request, session, 'finished');
  const { received, invalid } = countsOf(session);
  return {
    status: 200,
    body: { audience_id: audience, session_id: String(id), num_received: received, num_invalid_entries: invalid, invalid_entry_samples: {} },
  };
}

function opened(request: SimRequest, audience: string, id: string, verb: Verb): Session {
  const key = sessionKey(audience, id);
  const known = request.memory.get(key) as Session | undefined;
  if (known) return known;
  const base = { id, audience, verb, startedAt: request.now, endedAt: 0, matched: -1 };
  const session: Session = { ...base, stage: 'uploading', batches: new Map(), closed: 'no' };
  request.memory.set(key, session);
  later(request, session, sessionMs * request.config.windowScale, () => session.closed === 'no' && end(request, session, 'timedOut'));
  return session;
}

/** A reset forgets sessions under way. */
function later(request: SimRequest, session: Session, ms: number, run: () => unknown): void {
  setTimeout(() => request.memory.get(sessionKey(session.audience, session.id)) === session && run(), ms).unref();
}

/** No more batches: what there is gets matched and lands, whether anybody asks or not. */
function end(request: SimRequest, session: Session, how: 'finished' | 'timedOut'): void {
  session.closed = how;
  later(request, session, request.config.jobMs, () => {
    session.stage = 'matching';
    later(request, session, request.config.jobMs, () => {
      for (const batch of session.batches.values()) land(session, batch);
      const rows = [...session.batches.values()].flatMap((batch) => batch.rows).filter(({ invalid }) => !invalid);
      session.matched = rows.filter(({ key }) => isKnown(key)).length;
      session.stage = 'finished';
      session.endedAt = Date.now();
    });
  });
}

function land({ audience, verb }: Session, { request, rows }: Batch): void {
  const collection = `audience:${audience}`;
  const members = (): number => Number(request.memory.get(`size/${audience}`) ?? 0);
  for (const { key, invalid } of rows) {
    if (invalid) continue;
    const before = request.find(collection, key) ? 1 : 0;
    if (verb === 'add') request.write(collection, key, {});
    else request.remove(collection, key);
    const after = request.find(collection, key) ? 1 : 0;
    request.memory.set(`size/${audience}`, members() + after - before);
  }
}

/** Members that the audience would have without those of this call. */
export function sizeWithout(request: SimRequest): number {
  const audience = request.params['audience'] ?? '';
  const removed = keysOf(request.body).filter((key) => request.find(`audience:${audience}`, key)).length;
  return Number(request.memory.get(`size/${audience}`) ?? 0) - removed;
}

/** Seven people in ten are on Facebook here: always the same ones. */
function isKnown(key: string): boolean {
  return [...key].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 1_000_003, 7) % 10 < 7;
}

function countsOf({ batches }: Session): { received: number; invalid: number } {
  const sum = (of: (batch: Batch) => number): number => [...batches.values()].reduce((all, batch) => all + of(batch), 0);
  return { received: sum(({ rows }) => rows.length), invalid: sum(({ invalid }) => invalid) };
}

/** `GET /<audience>/sessions`: numbers as texts, −1 and 0 for what is not known yet (facebook-java-business-sdk issue 492). */
export function sessionsOf({ params, query, memory }: SimRequest): SimAnswer {
  const session = memory.get(sessionKey(params['audience'] ?? '', query['session_id'] ?? '')) as Session | undefined;
  if (!session) return { status: 200, body: { data: [] } };
  const { received, invalid } = countsOf(session);
  const texts = {
    start_time: seconds(session.startedAt),
    end_time: seconds(session.endedAt),
    num_received: String(received),
    num_matched: String(session.matched),
    num_invalid_entries: String(invalid),
    progress: session.endedAt > 0 ? '100' : '0',
  };
  return { status: 200, body: { data: [{ session_id: session.id, ...texts, stage: session.stage }] } };
}

const seconds = (ms: number): string => String(Math.floor(ms / 1000));
