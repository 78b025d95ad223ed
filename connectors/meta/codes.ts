import type { VendorErrorCode } from '../errors';

/** What a known refusal means, and what a person can do about it. */
export interface Meaning {
  code: VendorErrorCode;
  /** Our name of it: stable, unlike Meta's words. */
  name?: string;
  cause?: string;
}

const audienceTerms: Meaning = {
  code: 'AUTH',
  name: 'TERMS_NOT_SIGNED',
  cause: 'the Custom Audience terms are not accepted: somebody with a role in the business that owns the ad account has to accept them in Ads Manager',
};

/** Refusals of the audience as a whole: no row is at fault, and none would get through alone. */
export const refusals = ['TERMS_NOT_SIGNED', 'BUSINESS_TOOLS_TERMS_NOT_SIGNED', 'UPLOAD_BLOCKED', 'AUDIENCE_TOO_SMALL'];

/** The session was closed by an earlier hand-over of the same rows. */
export const sessionFinished = 'SESSION_FINISHED';
/** 90 minutes after its first batch. */
export const sessionTimedOut = 'SESSION_TIMED_OUT';

// By `error_subcode`. developers.facebook.com, "Error Codes" (Marketing API), "Customer File Custom Audiences" and "Custom
// Audience Users", v25.0, as of 2026-04; 1870047 also recorded, in the fixtures of github.com/grouparoo/grouparoo.
const bySubcode: Readonly<Record<number, Meaning>> = {
  33: { code: 'NOT_FOUND' },
  1713092: {
    code: 'AUTH',
    name: 'NO_WRITE_PERMISSION',
    cause: 'the access token may not write to this ad account: give its user the task “Manage campaigns” there',
  },
  1713230: {
    code: 'AUTH',
    name: 'UPLOAD_BLOCKED',
    cause: 'Meta has flagged the audience and takes no changes of its members: appeal in Audience Manager, or create a new audience with other data',
  },
  1870034: audienceTerms,
  1870047: {
    code: 'AUTH',
    name: 'AUDIENCE_TOO_SMALL',
    cause: 'Meta does not remove members when too few would be left: add members first, or stop using the audience and delete it',
  },
  1870090: audienceTerms,
  1870092: {
    code: 'AUTH',
    name: 'BUSINESS_TOOLS_TERMS_NOT_SIGNED',
    cause: 'the Meta Business Tools terms are not accepted: somebody with a role in the business has to accept them in Business settings',
  },
  // Documented for `usersreplace`; that `users` says the same is an assumption.
  1870145: { code: 'UNAVAILABLE', name: 'AUDIENCE_UPDATING', cause: 'the audience is being updated' },
  1870148: { code: 'UNAVAILABLE' },
  1870158: { code: 'CONFLICT', name: sessionTimedOut, cause: 'the upload session is older than 90 minutes' },
  1870159: { code: 'CONFLICT', name: sessionFinished, cause: 'the upload session is closed already' },
};

const byCode: readonly (readonly [VendorErrorCode, string])[] = [
  // 4 of the app, 17 of the user, 613 of the ad account, 80003 of custom audiences.
  ['RATE_LIMITED', '4 17 32 613 80003'],
  ['UNAVAILABLE', '1 2 341 368 5000 21009'],
  ['AUTH', '3 10 102 104 190 200 294 2654'],
  // 105 is "too many parameters" in Meta's table.
  ['INVALID', '100 105 2650 1487301 1487366'],
  ['NOT_FOUND', '803'],
];
const known = new Map(byCode.flatMap(([meaning, codes]) => codes.split(' ').map((one) => [Number(one), meaning] as const)));

/** What Meta's code and subcode mean; undefined = not in our tables. */
export function meaningOf(code: number, subcode: number | undefined): Meaning | undefined {
  const named = bySubcode[subcode ?? -1];
  if (named) return named;
  if (code === 2655) return audienceTerms;
  const meaning = known.get(code) ?? (code > 200 && code < 300 ? 'AUTH' : undefined);
  return meaning && { code: meaning };
}

/** The words for a refusal of an audience, by our name of it. */
export function causeOf(name: string): string | undefined {
  return Object.values(bySubcode).find((one) => one.name === name)?.cause;
}
