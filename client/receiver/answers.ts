import type { Receipt } from '../../ledger/port';

/** What a provider, or a person with curl, gets back. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: AnswerBody;
}

export interface AnswerBody {
  /** Stable, e.g. `ACCEPTED`, `BAD_SIGNATURE`. */
  code: string;
  message: string;
  /** What to do now. */
  next: string;
  /** Events in the delivery. */
  received?: number;
  /** Inbox rows that were there before. */
  duplicates?: number;
  /** Events no sync wants. */
  ignored?: number;
  /** What was committed, one entry per event and sync; the first hundred. */
  runs?: { syncId: string; eventId: string; workflowId: string; receipt: Receipt }[];
}

/** Every way a delivery is not taken, with its HTTP status. */
export const refusalStatus = {
  UNKNOWN_PATH: 404,
  UNKNOWN_SYNC: 404,
  UNKNOWN_SOURCE: 404,
  METHOD_NOT_ALLOWED: 405,
  UNSUPPORTED_CONTENT_TYPE: 415,
  BODY_TOO_LARGE: 413,
  BODY_TIMEOUT: 408,
  BODY_INCOMPLETE: 400,
  BODY_ALREADY_PARSED: 500,
  MISSING_SIGNATURE: 401,
  BAD_SIGNATURE: 401,
  STALE: 401,
  UNREADABLE_JSON: 400,
  UNREADABLE_DELIVERY: 400,
  OVERLOADED: 503,
  INBOX_FULL: 503,
  INBOX_UNREACHABLE: 503,
  INBOX_SLOW: 503,
  SECRET_UNUSABLE: 503,
  RECEIVER_ERROR: 500,
} as const;

export type RefusalCode = keyof typeof refusalStatus;

/** A delivery that is not taken. `message` and `next` go to the sender: no secrets, no values of the body. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly next: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Long enough for a database to come back, short enough for a provider's patience. */
const retryAfterSeconds = 10;

const json = { 'content-type': 'application/json; charset=utf-8' };

export function refusalAnswer(refusal: Refusal): Answer {
  const status = refusalStatus[refusal.code];
  return {
    status,
    headers: {
      ...json,
      ...(status === 503 ? { 'retry-after': String(retryAfterSeconds) } : {}),
      ...(status === 405 ? { allow: 'POST' } : {}),
    },
    body: { code: refusal.code, message: refusal.message, next: refusal.next },
  };
}

/** What became of a delivery that was taken. */
export interface Taken {
  received: number;
  ignored: number;
  runs: NonNullable<AnswerBody['runs']>;
}

const maxRunsShown = 100;

/** 202 when something will now run, 200 when there was nothing (new) to do. */
export function takenAnswer({ received, ignored, runs }: Taken): Answer {
  const duplicates = runs.filter((run) => run.receipt === 'duplicate').length;
  const toRun = runs.length - duplicates;
  const facts = { received, duplicates, ignored, ...(runs.length > 0 ? { runs: runs.slice(0, maxRunsShown) } : {}) };
  if (toRun > 0) {
    const first = runs.find((run) => run.receipt !== 'duplicate')?.workflowId ?? '';
    const body = {
      code: 'ACCEPTED',
      message: `${toRun} ${toRun === 1 ? 'run' : 'runs'} committed`,
      next: `npx syncline trace "${first}"`,
    };
    return { status: 202, headers: json, body: { ...body, ...facts } };
  }
  if (duplicates > 0) {
    const body = {
      code: 'DUPLICATE',
      message: 'already received; nothing runs twice',
      next: `npx syncline trace "${runs[0]?.workflowId}"`,
    };
    return { status: 200, headers: json, body: { ...body, ...facts } };
  }
  const body = {
    code: 'IGNORED',
    message: 'no sync wants these events; they were counted',
    next: 'add the topic to a sync, or stop sending it',
  };
  return { status: 200, headers: json, body: { ...body, ...facts } };
}
