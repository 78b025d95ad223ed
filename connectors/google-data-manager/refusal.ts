import type { JobState } from '../connector';
import type { VendorError } from '../errors';
import { saidIn, type Fault } from './errors';
import { isOfTheWhole, remedyOf } from './reasons';

/** What Google refused a whole request for. */
export interface Refusal {
  reason: string;
  /** Google's name of the field, where it names one. */
  field?: string;
}

/** Of the request's fields, those that are the same whoever the members are; proto and JSON spell them differently. */
const sharedField = /^(destinations|consent|encoding|encryption_?info|terms_?of_?service|validate_?only)(?![a-z])/i;
const memberField = /^audience_?members(?![a-z])/i;

/**
 * Why a request was refused that would be refused with any other members too: no row is at fault, and none would get through
 * alone. Undefined when a member is at fault, when nothing tells, and when trying again or another token can help.
 */
export function refusalOf(error: VendorError): Refusal | undefined {
  if (error.retryable || error.ambiguous || error.code === 'TOO_LARGE') return undefined;
  const said = saidIn(error.vendorSaid);
  if (!said) return undefined;
  const auth = error.code === 'AUTH';
  // Members at fault beside it do not matter: without them it would be refused as well.
  const shared = said.faults.find((fault) => isShared(fault) && (!auth || isOfTheWhole(fault.reason ?? '')));
  if (shared) return { reason: shared.reason ?? said.reason, ...(shared.field === undefined ? {} : { field: shared.field }) };
  if (said.faults.some(({ field }) => memberField.test(field ?? ''))) return undefined;
  // All that a request names besides its members are the accounts and the list.
  return isOfTheWhole(said.reason) || error.code === 'NOT_FOUND' ? { reason: said.reason } : undefined;
}

function isShared({ field = '', reason = '' }: Fault): boolean {
  return sharedField.test(field) || (isOfTheWhole(reason) && !memberField.test(field));
}

/** Over, and not to be tried again before somebody has acted. */
export function refusedState({ reason, field }: Refusal): JobState {
  const words = remedyOf(reason) ?? 'something is wrong with the request itself, and not with a member';
  return {
    state: 'failed',
    retry: false,
    code: reason,
    cause: `Google refused the whole request: ${words} (${reason}${field === undefined ? '' : ` at ${field}`})`,
  };
}
