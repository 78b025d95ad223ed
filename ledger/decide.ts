import type { ClaimRequest } from './port';

/** The order of two writes of one record: version first, then the mapping that made it: `[at, arrival, mapVersion]`. */
export type Order = readonly [at: number, arrival: number, mapVersion: number];

/** A call whose fate is not known yet: under way, or never confirmed. */
export interface OpenCall {
  /** Its number within the record. */
  claim: number;
  workflowId: string;
  order: Order;
  fields: readonly string[];
  /** Until then it may still be on its way to the vendor; epoch ms, the database's clock. */
  untilMs: number;
}

/** What the fence knows of one record. */
export interface FenceState {
  landed: {
    order: Order;
    fields: readonly string[];
    vendorId: string | null;
    /** Found `missing` or `drifted`: the same version may be sent again. */
    reopened: boolean;
  } | null;
  /** The order that fields not covered by `landed` landed with; `*` stands for all that are not named. */
  olderFields: Readonly<Record<string, Order>>;
  openCalls: readonly OpenCall[];
}

/** What is asked for: a {@link ClaimRequest} without its place. */
export type Ask = Pick<ClaimRequest, 'version' | 'mapVersion' | 'fields' | 'workflowId' | 'resendEqual'>;

export type Decision =
  /** `keep`: the open calls whose fate still matters. */
  | { kind: 'claim'; ambiguous: boolean; dropFields: string[]; keep: OpenCall[] }
  | { kind: 'superseded' }
  | { kind: 'landed'; vendorId: string | null }
  | { kind: 'wait'; untilMs: number };

/** The whole record, in lists of fields. */
export const ALL_FIELDS = '*';

// A call under way ends within its HTTP call, mostly far ahead of its expiry: whoever waits for it asks again soon. One
// that expired without a word waits for its run to come back: that takes as long as the run's own wait.
export const REASK_LIVE_MS = 1_000;
export const REASK_EXPIRED_MS = 10_000;

/** Open calls remembered of one record; only a record that times out again and again for different runs has several. */
export const MAX_OPEN_CALLS = 32;

/**
 * Whether a record may be sent now. The rules:
 *
 * 1. A field of which a newer version landed is not sent; with none left the record is `superseded`. Only what landed
 *    counts: a newer claim that may yet fail supersedes nothing. What writes the whole record can't be sent in part: it is
 *    superseded once anything newer landed.
 * 2. A version that landed, under the same mapping, is not sent again, unless asked to or found missing.
 * 3. While another call may be on its way, everyone else waits: it could arrive after ours. Only the same run may send the
 *    same version again at once, since what overtakes what is then the same.
 * 4. An expired call of a newer version keeps older ones waiting: had it landed, they would overwrite it. The same or a
 *    newer version takes over.
 * 5. As long as the fate of any call is open, what is sent is ambiguous: it, or something older, may be there already.
 */
export function decide(state: FenceState, ask: Ask, nowMs: number): Decision {
  const order = orderOf(ask);
  const fields = normalFields(ask.fields);
  const dropFields = fields.filter((field) => isNewer(landedOrder(state, field), order));
  if (dropFields.length === fields.length) return { kind: 'superseded' };
  const rest = fields.filter((field) => !dropFields.includes(field));
  const landedBefore = rest.every((field) => isEqual(coveredOrder(state, field), order));
  if (landedBefore && !ask.resendEqual && !state.landed?.reopened) return { kind: 'landed', vendorId: state.landed?.vendorId ?? null };

  const open = state.openCalls.filter((call) => call.untilMs > nowMs || !isMoot(state, call));
  const others = open.filter((call) => call.workflowId !== ask.workflowId || !isEqual(call.order, order));
  const liveUntil = Math.max(...others.map((call) => call.untilMs));
  if (liveUntil > nowMs) return { kind: 'wait', untilMs: Math.min(liveUntil, nowMs + REASK_LIVE_MS) };
  if (others.some((call) => isNewer(call.order, order))) return { kind: 'wait', untilMs: nowMs + REASK_EXPIRED_MS };
  return { kind: 'claim', ambiguous: open.length > 0, dropFields, keep: open.slice(-MAX_OPEN_CALLS + 1) };
}

/** Position of a request among all writes of its record. */
export function orderOf({ version, mapVersion }: Pick<Ask, 'version' | 'mapVersion'>): Order {
  return [version.at, version.arrival, mapVersion];
}

/** No fields means all of them. */
export function normalFields(fields: readonly string[]): string[] {
  return fields.length === 0 || fields.includes(ALL_FIELDS) ? [ALL_FIELDS] : [...new Set(fields)];
}

/** The newest order that landed of a field; of the whole record, that of its newest field. */
function landedOrder(state: FenceState, field: string): Order | null {
  return field === ALL_FIELDS ? (state.landed?.order ?? null) : coveredOrder(state, field);
}

/** The order up to which a field has landed; of the whole record, up to which every field has. */
function coveredOrder({ landed, olderFields }: FenceState, field: string): Order | null {
  if (landed === null) return null;
  if (landed.fields.includes(field) || landed.fields.includes(ALL_FIELDS)) return landed.order;
  const own = Object.hasOwn(olderFields, field) ? (olderFields[field] ?? null) : null;
  const all = olderFields[ALL_FIELDS] ?? null;
  return own === null || (all !== null && isNewer(all, own)) ? all : own;
}

/** Everything the call wrote has since been written by something as new: whether it landed makes no difference now. */
function isMoot(state: FenceState, call: OpenCall): boolean {
  return call.fields.every((field) => {
    const covered = coveredOrder(state, field);
    return covered !== null && !isNewer(call.order, covered);
  });
}

function isNewer(a: Order | null, b: Order): boolean {
  return a !== null && compare(a, b) > 0;
}

function isEqual(a: Order | null, b: Order): boolean {
  return a !== null && compare(a, b) === 0;
}

function compare(a: Order, b: Order): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
