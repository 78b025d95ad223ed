import { errorFrom } from './errors';
import { isOfTheWhole } from './reasons';
import { refusalOf, refusedState, type Refusal } from './refusal';

const said = (status: string, reason: string | undefined, ...fieldViolations: object[]) => ({
  error: { status, message: 'There was a problem with the request.', details: [...(reason === undefined ? [] : [{ reason }]), { fieldViolations }] },
});
const of = (status: number, data: unknown): Refusal | undefined => refusalOf(errorFrom({ status, headers: {}, data }));
const invalid = (...violations: [field: string | undefined, reason?: string][]) =>
  of(400, said('INVALID_ARGUMENT', 'INVALID_ARGUMENT', ...violations.map(([field, reason]) => ({ field, reason }))));
const aMember = 'audience_members.audience_members[3].user_data.user_identifiers[0]';

test.each([
  ['destinations[0].product_destination_id', 'INVALID_USER_LIST_ID'],
  ['destinations[0].operating_account.account_id', 'REASON_OF_TOMORROW'],
  ['terms_of_service.customer_match_terms_of_service_status', 'TERMS_AND_CONDITIONS_NOT_SIGNED'],
  ['termsOfService', 'REQUIRED_FIELD_MISSING'],
  ['consent.ad_user_data', 'INVALID_ENUM_VALUE'],
  ['encoding', 'INVALID_ENUM_VALUE'],
])('%s: refused whoever the members are', (field, reason) => {
  expect(invalid([field, reason])).toEqual({ reason, field });
  // Without the member it would be refused as well.
  expect(invalid([aMember, 'INVALID_HEX_ENCODING'], [field, reason])).toEqual({ reason, field });
});

test.each([
  ['TERMS_AND_CONDITIONS_NOT_SIGNED'],
  ['INVALID_USER_LIST_ID'],
  ['INVALID_USER_LIST_TYPE'],
  ['EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED'],
  ['DATA_PARTNER_USER_LIST_MUTATE_NOT_ALLOWED'],
  ['SENSITIVE_USER_LIST_IMMUTABLE'],
])('%s is no member’s, without a field and with any status', (reason) => {
  expect(isOfTheWhole(reason)).toBe(true);
  expect(of(400, said('INVALID_ARGUMENT', reason))).toEqual({ reason });
  expect(of(400, said('FAILED_PRECONDITION', reason))).toEqual({ reason });
  expect(of(403, said('PERMISSION_DENIED', reason))).toEqual({ reason });
  expect(invalid([undefined, reason])).toEqual({ reason });
});

test('a list or an account that is not found', () => {
  expect(of(404, said('NOT_FOUND', 'NOT_FOUND'))).toEqual({ reason: 'NOT_FOUND' });
  expect(of(404, '<html>')).toBeUndefined();
});

test.each([
  ['a member', invalid([aMember, 'INVALID_HEX_ENCODING'])],
  ['a member, in the spelling of JSON', invalid(['audienceMembers[3]', 'INVALID_AUDIENCE_MEMBER'])],
  ['a member’s own consent', invalid(['audience_members[3].consent', 'INVALID_ENUM_VALUE'])],
  ['a member, with a word of the list', invalid(['audience_members[3]', 'INVALID_DESTINATION'])],
  ['how many there are', invalid(['audience_members', 'TOO_MANY_AUDIENCE_MEMBERS'])],
  ['a member that is not found', of(404, said('NOT_FOUND', undefined, { field: 'audience_members[3]' }))],
  ['nothing that tells', invalid()],
  ['a field of another name', invalid(['user_identifiers[3]', 'INVALID_FORMAT'])],
  ['a reason of another name', of(400, said('INVALID_ARGUMENT', 'REASON_OF_TOMORROW'))],
  ['nobody of Google’s', of(400, '<html>')],
  ['too many bytes', of(413, null)],
  ['the token', of(401, said('UNAUTHENTICATED', 'ACCESS_TOKEN_EXPIRED'))],
  ['the token’s rights', of(403, said('PERMISSION_DENIED', undefined, { field: 'destinations[0].operating_account', reason: 'PERMISSION_DENIED' }))],
  ['an outage', of(503, said('UNAVAILABLE', 'INVALID_USER_LIST_ID'))],
  ['a limit', of(429, said('RESOURCE_EXHAUSTED', undefined, { field: 'destinations[0]', reason: 'RESOURCE_EXHAUSTED' }))],
])('%s: nothing that ends the job', (_name, refusal) => {
  expect(refusal).toBeUndefined();
});

test('what is told: the code, what to do, and the field', () => {
  expect(refusedState({ reason: 'INVALID_USER_LIST_ID', field: 'destinations[0].product_destination_id' })).toEqual({
    state: 'failed',
    retry: false,
    code: 'INVALID_USER_LIST_ID',
    cause:
      'Google refused the whole request: the operating account has no such list; compare userListId with the list’s id, and the account that owns it (INVALID_USER_LIST_ID at destinations[0].product_destination_id)',
  });
  expect(refusedState({ reason: 'REASON_OF_TOMORROW' })).toMatchObject({
    cause: expect.stringMatching(/itself, and not with a member \(REASON_OF_TOMORROW\)$/),
  });
});
