import type { Refusal } from './refusal';

/** What a job's name tells: enough to judge the request without its rows, of which some may have changed since. */
export interface RequestJob {
  requestId: string;
  /** Members handed over; undefined in names of before they were counted. */
  members?: number;
}

/** `<request id>.<members>`. */
export function jobName({ requestId, members }: Required<RequestJob>): string {
  return `${requestId}.${members}`;
}

/** A name without a count is a request id, as Google gave it. */
export function readJobName(name: string): RequestJob {
  const [, requestId, members] = /^(.+)\.(\d{1,5})$/.exec(name) ?? [];
  return requestId === undefined ? { requestId: name } : { requestId, members: Number(members) };
}

/** Of a request that Google refused as a whole and gave no name: `refused.<reason>`, and the field where one is named. */
export function refusedJobName({ reason, field }: Refusal): string {
  return ['refused', reason, ...(field === undefined ? [] : [field])].join('.');
}

/** Undefined: the name is of a request that Google took. */
export function readRefusal(name: string): Refusal | undefined {
  const [, reason, field] = /^refused\.([A-Z][A-Z0-9_]+)(?:\.(.+))?$/.exec(name) ?? [];
  return reason === undefined ? undefined : { reason, ...(field === undefined ? {} : { field }) };
}
