import type { Json } from '../../../schemas/json';
import { defineJobOperation, type Call, type JobOperation, type JobState } from '../../connector';
import { VendorError } from '../../errors';
import { hashedKey, type HashedMember } from '../../identifiers/hashed-member';
import type { AudienceMember } from '../../identifiers/member';
import { googleDataManager } from '../index';
import { jobName, readJobName, readRefusal, refusedJobName } from '../job-name';
import { ingestion, status } from '../limits';
import { refusalOf, refusedState } from '../refusal';
import { identifiersIn, identifiersOf, joining, leaving, partsOf, type UserIdentifier } from './member';
import { stateIn, stateOf } from './request-status';

/** An account of a Google product. */
export interface GoogleAccount {
  accountType: 'GOOGLE_ADS' | 'DISPLAY_VIDEO_ADVERTISER' | 'DISPLAY_VIDEO_PARTNER' | 'DATA_PARTNER';
  /** Digits, without dashes. */
  accountId: string;
}

/** A Customer Match list, and whose it is. */
export interface UserList {
  /** Whose list it is. */
  operatingAccount: GoogleAccount;
  /** The account through which the token's user reaches it, e.g. its manager account. @default the operating account itself */
  loginAccount?: GoogleAccount;
  /** The list's id in its account: digits. */
  userListId: string;
}

type ConsentStatus = 'CONSENT_GRANTED' | 'CONSENT_DENIED';

/** What joining a list is declared with. */
export interface JoinedUserList extends UserList {
  /** Of everybody this target adds, as the Digital Markets Act wants it. @default not sent: the account's own default holds */
  consent?: { adUserData?: ConsentStatus; adPersonalization?: ConsentStatus };
  /**
   * Whether the operating account has accepted the terms of Customer Match (support.google.com/adspolicy/answer/6299717). Google
   * takes nobody otherwise, so to add people is to say so. @default 'ACCEPTED'
   */
  termsOfService?: 'ACCEPTED' | 'REJECTED';
}

const maxRows = 10_000;
/** Google documents no size. 10,000 members with two addresses, a number and a postal address each have 5 MB. */
const maxBytes = 8 * 1024 * 1024;

/**
 * Puts people on a list: `POST /v1/audienceMembers:ingest`, then `requestStatus:retrieve` until it is processed. Google looks at
 * the whole request first and takes all of it or nothing; of what it takes it tells counts, never rows.
 */
export function addToUserList(list: JoinedUserList): JobOperation<AudienceMember> {
  const { consent, termsOfService = 'ACCEPTED' } = list;
  const more = { ...(consent ? { consent: { ...consent } } : {}), termsOfService: { customerMatchTermsOfServiceStatus: termsOfService } };
  return defineJobOperation({
    ...shared(list, 'add'),
    input: joining,
    key: (member) => hashedKey(partsOf(member)),
    submit: (call, rows) => submit(call, 'ingest', list, { members: rows.map((member) => identifiersOf(partsOf(member))), more }),
  });
}

/** Takes people off a list, by the keys they joined with: `POST /v1/audienceMembers:remove`. Who is not on it is no error. */
export function removeFromUserList(list: UserList): JobOperation<HashedMember> {
  return defineJobOperation({
    ...shared(list, 'remove'),
    input: leaving,
    key: ({ key }) => key,
    submit: (call, rows) => submit(call, 'remove', list, { members: rows.map(({ key }) => identifiersIn(key)), more: {} }),
  });
}

/** What both write is the same membership, so that the newer of a joining and a leaving wins. */
function shared(list: UserList, change: 'add' | 'remove') {
  const { operatingAccount, loginAccount, userListId } = list;
  for (const [what, id] of [
    ['userListId', userListId],
    ['operatingAccount.accountId', operatingAccount.accountId],
    ['loginAccount.accountId', loginAccount?.accountId ?? '1'],
  ] as const)
    if (!/^\d{1,20}$/.test(id)) throw new Error(`google-data-manager: ${what} "${id}" is not a number (digits alone, without dashes)`);
  return {
    connector: googleDataManager,
    name: `userList.${operatingAccount.accountId}.${userListId}.${change}`,
    object: `user-list-member:${operatingAccount.accountType}.${operatingAccount.accountId}.${userListId}`,
    quota: ingestion,
    maxRows,
    maxBytes,
    // A list is a set: who is on it already stays on it, who is off it stays off.
    resend: 'safe' as const,
    poll,
  };
}

async function submit(
  call: Call,
  method: 'ingest' | 'remove',
  { operatingAccount, loginAccount, userListId }: UserList,
  { members, more }: { members: UserIdentifier[][]; more: Record<string, Json> },
): Promise<{ job: string }> {
  const account = ({ accountType, accountId }: GoogleAccount): Json => ({ accountType, accountId });
  const body = {
    destinations: [
      { operatingAccount: account(operatingAccount), ...(loginAccount ? { loginAccount: account(loginAccount) } : {}), productDestinationId: userListId },
    ],
    audienceMembers: members.map((userIdentifiers) => ({ userData: { userIdentifiers } })),
    encoding: 'HEX',
    ...more,
  };
  const bytes = Buffer.byteLength(JSON.stringify(body));
  if (bytes > maxBytes)
    throw new VendorError({ code: 'TOO_LARGE', status: null, message: `a request of ${bytes} bytes; at most ${maxBytes} are sent at once` });
  const answer = await call.post(`/v1/audienceMembers:${method}`, body).catch((error: unknown) => {
    const refusal = error instanceof VendorError ? refusalOf(error) : undefined;
    if (refusal) return refusal;
    throw error;
  });
  // No row is at fault, so none is to be looked for: the job is over, and says why.
  if ('reason' in answer) return { job: refusedJobName(answer) };
  const { status: answered, data } = answer;
  const requestId = (data as { requestId?: unknown } | null)?.requestId;
  if (typeof requestId === 'string' && requestId !== '') return { job: jobName({ requestId, members: members.length }) };
  throw new VendorError({ code: 'UNKNOWN', status: answered, ambiguous: true, message: 'Google took a request without naming it; it may have taken effect' });
}

async function poll(call: Call, job: string, rows: readonly unknown[]): Promise<JobState> {
  const refusal = readRefusal(job);
  if (refusal) return refusedState(refusal);
  const { requestId, members } = readJobName(job);
  try {
    const { data } = await call.request({ method: 'GET', path: '/v1/requestStatus:retrieve', query: { requestId }, quota: status });
    // Rows that changed since are not among `rows`, but are among those Google counts.
    return stateIn(data, members ?? rows.length);
  } catch (error) {
    const state = error instanceof VendorError ? stateOf(error) : undefined;
    if (!state) throw error;
    return state;
  }
}
