import type { SimAnswer } from '../simulator/types';

/** One of Meta's errors, in its own words. */
export interface Said {
  code: number;
  subcode?: number;
  message: string;
  title?: string;
  detail?: string;
  type?: string;
  transient?: boolean;
}

/** `fbtrace_id` is the request's id. */
export function said(
  status: number,
  requestId: string,
  { code, subcode, message, title, detail, type = 'OAuthException', transient = false }: Said,
): SimAnswer {
  const user = { ...(title === undefined ? {} : { error_user_title: title }), ...(detail === undefined ? {} : { error_user_msg: detail }) };
  const error = { message, type, code, ...(subcode === undefined ? {} : { error_subcode: subcode }), is_transient: transient, ...user, fbtrace_id: requestId };
  return { status, body: { error } };
}

const permissions = { code: 200, message: 'Permissions error' };
const invalid = { code: 100, message: 'Invalid parameter' };

/** What an audience may be refused for; the names are those of `config.properties`. Sources: README.md. */
export const audienceProblems: Readonly<Record<string, Said>> = {
  TERMS_NOT_SIGNED: {
    ...permissions,
    subcode: 1870090,
    title: 'Custom Audience Terms Not Accepted',
    detail: 'To create or edit audience or ad set, please agree to the Custom Audience terms.',
  },
  UPLOAD_BLOCKED: {
    ...invalid,
    subcode: 1713230,
    title: 'Audience Upload Blocked',
    detail:
      'Before updating user memberships, you must resolve integrity restrictions on this Data File Custom Audience. Go to Audience Manager to appeal the restrictions or create a new audience with updated data',
  },
  AUDIENCE_TOO_SMALL: {
    ...permissions,
    subcode: 1870047,
    title: 'Audience Size too Low',
    detail: 'You cannot remove users from this audience because it will result in a low audience size.',
  },
};

/** Documented for `usersreplace`. */
export const sessionProblems: Readonly<Record<'finished' | 'timedOut', Said>> = {
  finished: { code: 2650, message: 'Failed to update the custom audience', subcode: 1870159, title: 'Replace Session Finished' },
  timedOut: { code: 2650, message: 'Failed to update the custom audience', subcode: 1870158, title: 'Replace Session Timed Out' },
};

/** Words of errors nobody wrote down: the simulator's own. */
export function badParameter(requestId: string, message: string): SimAnswer {
  return said(400, requestId, { code: 100, message: `(#100) ${message}` });
}

const badToken = { code: 190, message: 'Invalid OAuth access token - Cannot parse access token' };

const byStatus: Readonly<Record<number, Said>> = {
  400: invalid,
  403: permissions,
  404: {
    code: 100,
    subcode: 33,
    type: 'GraphMethodException',
    message: 'Unsupported request. Object does not exist, cannot be loaded due to missing permissions, or does not support this operation',
  },
};

/** The answer for a status. Meta has words of its own for few of them, and says of a token that is no good with a 400. */
export function failure(status: number, requestId: string, detail?: string): SimAnswer {
  if (status === 401) return said(400, requestId, badToken);
  if (status === 413)
    return { status, headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html><html lang="en" id="facebook"><title>Error</title></html>' };
  if (status >= 500)
    return said(status, requestId, { code: 2, message: 'An unexpected error has occurred. Please retry your request later.', transient: true });
  const known = byStatus[status] ?? { code: 99_999, message: `status ${status}` };
  return said(status, requestId, detail === undefined ? known : { ...known, message: detail });
}
