import { VendorError } from '../../errors';
import { stateIn, stateOf } from './request-status';

const errors = (...counts: [reason: string, recordCount?: string][]) => ({
  errorInfo: { errorCounts: counts.map(([reason, recordCount]) => ({ reason: `PROCESSING_ERROR_REASON_${reason}`, recordCount })) },
});
const joined = (recordCount: string, range?: string) => ({
  audienceMembersIngestionStatus: { userDataIngestionStatus: { recordCount, userIdentifierCount: '7', uploadMatchRateRange: range } },
});
const left = (recordCount: string) => ({ audienceMembersRemovalStatus: { userDataRemovalStatus: { recordCount } } });
const state = (requestStatus: string | undefined, more: object = {}, rows = 10) =>
  stateIn({ requestStatusPerDestination: [{ destination: { productDestinationId: '1' }, requestStatus, ...more }] }, rows);
const ended = { state: 'ended', results: [], unnamed: 'unattributed' };

test('under way', () => {
  expect(state('PROCESSING', joined('10'))).toEqual({ state: 'running', againMs: 60_000 });
});

test.each([
  ['all taken', state('SUCCESS', joined('10')), { taken: 10 }],
  ['all taken off', state('SUCCESS', left('10')), { taken: 10 }],
  ['a count that is missing', state('SUCCESS'), { taken: 10 }],
  ['more counted than sent', state('SUCCESS', joined('11')), { taken: 10 }],
  ['fewer counted than sent', state('SUCCESS', joined('9')), { taken: 9 }],
  ['some not taken', state('PARTIAL_SUCCESS', { ...joined('10'), ...errors(['INVALID_FORMAT', '2'], ['DENIED_CONSENT', '1']) }), { taken: 7 }],
  ['how many is not told', state('PARTIAL_SUCCESS', joined('10')), {}],
  ['how many is told of one reason only', state('PARTIAL_SUCCESS', { ...joined('10'), ...errors(['INVALID_FORMAT', '2'], ['DENIED_CONSENT']) }), {}],
  ['more refused than sent', state('PARTIAL_SUCCESS', { ...joined('10'), ...errors(['INVALID_FORMAT', '20']) }), { taken: 0 }],
])('over: %s; never said of a single row', (_name, found, counts) => {
  expect(found).toEqual({ ...ended, ...counts });
});

test.each([
  ['MATCH_RATE_RANGE_LESS_THAN_20', { least: 0, most: 0.2 }],
  ['MATCH_RATE_RANGE_20_TO_30', { least: 0.2, most: 0.31 }],
  ['MATCH_RATE_RANGE_61_TO_70', { least: 0.61, most: 0.71 }],
  ['MATCH_RATE_RANGE_91_TO_100', { least: 0.91, most: 1 }],
  ['MATCH_RATE_RANGE_NOT_ELIGIBLE', undefined],
  ['MATCH_RATE_RANGE_UNKNOWN', undefined],
  ['A_RANGE_OF_TOMORROW', undefined],
])('%s is %j', (range, matched) => {
  expect(state('SUCCESS', joined('10', range))).toEqual({ ...ended, taken: 10, ...(matched ? { matched } : {}) });
});

test.each([
  ['DENIED_CONSENT', false, /none of the members, because consent to the use of the data is denied/],
  ['UNKNOWN_CONSENT', false, /declare it with the target/],
  ['INTERNAL_ERROR', true, /for INTERNAL_ERROR/],
  ['SOMETHING_OF_TOMORROW', true, /for SOMETHING_OF_TOMORROW/],
])('failed for %s; again: %p', (reason, retry, cause) => {
  for (const word of ['FAILED', 'FAILURE'])
    expect(state(word, errors([reason, '10']))).toEqual({
      state: 'failed',
      retry,
      code: reason,
      cause: expect.stringMatching(cause),
      vendorSaid: { errorCounts: [{ reason: `PROCESSING_ERROR_REASON_${reason}`, recordCount: 10 }] },
    });
});

test('failed without a reason, or for several', () => {
  expect(state('FAILED')).toEqual({ state: 'failed', retry: true, code: 'REQUEST_FAILED', cause: 'Google took none of the members, without a reason' });
  expect(state('FAILED', errors(['DENIED_CONSENT', '9'], ['INTERNAL_ERROR', '1']))).toMatchObject({ retry: true, code: 'DENIED_CONSENT' });
  expect(state('FAILED', { errorInfo: { errorCounts: [{ reason: 'ada@example.com' }] } })).toMatchObject({ code: 'REQUEST_FAILED' });
});

test.each([
  [{}],
  [null],
  ['text'],
  [{ requestStatusPerDestination: [] }],
  [{ requestStatusPerDestination: [{}] }],
  [{ requestStatusPerDestination: [{ requestStatus: 'SUCCESS' }, { requestStatus: 'SUCCESS' }] }],
  [{ requestStatusPerDestination: [{ requestStatus: 'REQUEST_STATUS_UNKNOWN' }] }],
])('%j says nothing of the request', (data) => {
  expect(() => stateIn(data, 1)).toThrow(expect.objectContaining({ code: 'UNKNOWN', retryable: true }));
});

test('odd counts do no harm', () => {
  const odd = { errorInfo: 'x', audienceMembersIngestionStatus: { userDataIngestionStatus: { recordCount: '-1', uploadMatchRateRange: 7 } } };
  expect(state('SUCCESS', odd)).toEqual({ ...ended, taken: 10 });
});

test('a request that is not to be seen: by a wrong name it never will be, otherwise not yet', () => {
  const refusal = (code: 'INVALID' | 'NOT_FOUND' | 'AUTH', vendorCode: string) => stateOf(new VendorError({ code, vendorCode, message: 'x', status: 400 }));
  expect(refusal('INVALID', 'INVALID_REQUEST_ID')).toMatchObject({ state: 'failed', retry: true, code: 'JOB_NOT_FOUND' });
  expect(refusal('NOT_FOUND', 'NOT_FOUND')).toMatchObject({ state: 'running' });
  expect(refusal('AUTH', 'PERMISSION_DENIED')).toBeUndefined();
});
