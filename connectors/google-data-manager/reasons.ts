/**
 * Why Google takes nothing for a list or an account, whoever the members are; and what to do. Names: `ErrorReason` of
 * google/ads/datamanager/v1/error.proto; what to do: ours.
 */
const ofTheWhole: Readonly<Record<string, string>> = {
  TERMS_AND_CONDITIONS_NOT_SIGNED: 'the terms of Customer Match are not accepted for the operating account; accept them there, and declare them ACCEPTED',
  INVALID_USER_LIST_ID: 'the operating account has no such list; compare userListId with the list’s id, and the account that owns it',
  INVALID_USER_LIST_TYPE: 'the list takes no contact data; it must be a Customer Match list of type contact info',
  INVALID_DESTINATION: 'the destination is not valid; compare operatingAccount, loginAccount and userListId with the account',
  DATA_PARTNER_USER_LIST_MUTATE_NOT_ALLOWED: 'the data partner may not change lists of the operating account; have the account link it',
  EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED: 'the account has not declared whether it runs political ads in the EU; declare it in the account',
  NOT_ALLOWLISTED: 'the account may not use this; ask Google to allow it',
  ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA: 'the account may not use lists of uploaded data; ask Google to allow it',
  ADVERTISER_TOS_NOT_ACCEPTED: 'the advertiser has not accepted the terms of service of the data partner; accept them in the account',
  OWNERSHIP_REQUIRED_FOR_UPDATE: 'the list belongs to another account; name the one that owns it as operatingAccount',
  USER_LIST_MUTATION_NOT_SUPPORTED: 'the list cannot be changed; create a Customer Match list of type contact info',
  USER_LIST_TYPE_NOT_SUPPORTED_FOR_ACCOUNT: 'the account cannot have lists of this type; compare operatingAccount and userListId with the account',
  SENSITIVE_USER_LIST_IMMUTABLE: 'the list is sensitive or was rejected, and takes no changes; create a new one, or appeal in the account',
  UNSUPPORTED_USER_LIST_UPLOAD_KEY_TYPES: 'the list takes no contact data; it must be a Customer Match list of type contact info',
  UNSUPPORTED_ACCOUNT_TYPES_FOR_USER_LIST_TYPE: 'accounts of this type cannot have such a list; compare accountType with the account',
  DESTINATION_ACCOUNT_TYPE_MISMATCH: 'the account is of another type; compare accountType with the account',
  MISMATCHED_ACCOUNT_TYPE: 'the account is of another type; compare accountType with the account',
  OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH: 'loginAccount must be the operating account here; leave it out',
  UNSUPPORTED_OPERATING_ACCOUNT_FOR_DATA_PARTNER: 'a data partner cannot write to this operating account; compare operatingAccount and loginAccount',
};

/**
 * Other reasons a user can mend, and how. Names: `ErrorReason` of google/ads/datamanager/v1/error.proto and of
 * google/api/error_reason.proto, and the guide "Send audience members"; what to do: ours.
 */
const remedies: Readonly<Record<string, string>> = {
  INVALID_HEX_ENCODING: 'an identifier is not hexadecimal; map identifiers as they are written, they are hashed here',
  INVALID_SHA256_FORMAT: 'an identifier is no SHA-256; map identifiers as they are written, they are hashed here',
  NO_IDENTIFIERS_PROVIDED: 'a member has no identifier; map an e-mail address or a phone number, or skip the person',
  TOO_MANY_USER_IDENTIFIERS: 'a member has more than 10 identifiers; map fewer e-mail addresses and phone numbers',
  TOO_MANY_AUDIENCE_MEMBERS: 'there are more than 10,000 members in one request',
  INVALID_POSTAL_CODE: 'a postal code is not one of its country; map it as written, or leave it out',
  INVALID_COUNTRY_CODE: 'a country is not a code of ISO 3166-1, e.g. DE',
  INVALID_NUMBER_FORMAT: 'an id is not a number; account ids are written without dashes',
  NOT_FOUND: 'it does not know the account or the list; compare operatingAccount, loginAccount and userListId with the account',
  SERVICE_DISABLED: 'the Data Manager API is not enabled in the Google Cloud project; enable it in the console, and wait some minutes',
  ACCESS_TOKEN_SCOPE_INSUFFICIENT:
    'the refresh token was given without the scope https://www.googleapis.com/auth/datamanager; consent again with it, and set the new one',
  ACCESS_TOKEN_EXPIRED: 'the access token has expired, and a new one did not help; consent again, and set the new refresh token',
  UNAUTHENTICATED: 'the access token is no good, and a new one did not help; consent again, and set the new refresh token',
  PERMISSION_DENIED: 'the user who consented may not write to the operating account, or the account does not exist; a manager account goes into loginAccount',
};

/**
 * What to do when there is no access token for the refresh token, by the code of the token endpoint. Why a refresh token ends:
 * developers.google.com/identity/protocols/oauth2#expiration, as nango.dev and workos.com quote it (2026).
 */
export const loginRemedies: Readonly<Record<string, string>> = {
  invalid_grant:
    'the refresh token was revoked, was not used for six months, or is of an app in status Testing, where it lives 7 days; consent again, and set the new refresh token',
  invalid_client: 'compare client id and client secret with the OAuth client in the Google Cloud console',
  unauthorized_client: 'the refresh token was given to another client; set client id, client secret and refresh token of the same one',
};

/** What to do, in plain words; undefined = Google's own words have to do. */
export function remedyOf(reason: string): string | undefined {
  return isOfTheWhole(reason) ? ofTheWhole[reason] : Object.hasOwn(remedies, reason) ? remedies[reason] : undefined;
}

/** Whether the reason is one of the list or the account, and no member's. */
export function isOfTheWhole(reason: string): boolean {
  return Object.hasOwn(ofTheWhole, reason);
}
