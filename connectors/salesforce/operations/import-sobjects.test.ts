import { setTimeout as delay } from 'node:timers/promises';
import { vendorUnderTest } from '../../../test/conformance/vendor-under-test';
import type { Call, JobState, RecordResult, VendorRequest } from '../../connector';
import { VendorError } from '../../errors';
import { salesforce } from '../index';
import { simulated } from '../simulator';
import { importContacts, upsertContacts } from './contacts';
import type { SObjectRow } from './rows';

const row = (n: number, fields: SObjectRow['fields'] = { LastName: `Lovelace, "${n}"\nKöln` }): SObjectRow => ({ externalId: `Shop-${n}`, fields });
const rows = (size: number) => Array.from({ length: size }, (_, n) => row(n));
const jobs = '/services/data/v65.0/jobs/ingest';

describe('against the simulator', () => {
  /** The session expires after the next request of this method. */
  let lastOfSession: string | undefined;
  const { simulator, gate, call, hasty } = vendorUnderTest({
    connector: salesforce,
    simulated,
    credentials: { clientId: 'client', clientSecret: 'secret' },
    by: { scopes: [], lane: 'backfill', sync: 'test' },
    onAttempt: ({ method }) => {
      if (method !== lastOfSession) return;
      lastOfSession = undefined;
      simulator.configure({ tokens: [`00D000000000001!after-${method}`] });
    },
  });
  beforeEach(() => simulator.configure({ jobMs: 0, properties: [], tokens: null }));
  // Every request of submit and poll spends a permit of its own.
  afterEach(() => expect([gate.ends.length, gate.open(), gate.endedTwice]).toEqual([simulator.stats().calls, 0, 0]));

  const ended = async (job: string, sent: readonly SObjectRow[]): Promise<RecordResult[]> => {
    const state = await importContacts.poll(call(), job, sent);
    if (state.state !== 'ended') throw new Error(`the job is ${JSON.stringify(state)}`);
    // Each row has exactly one fate.
    expect(state.results.map(({ key }) => key)).toEqual(sent.map((one) => importContacts.key(one)));
    return state.results;
  };
  const change = (job: string, state: string) => call().request({ method: 'PATCH', path: `${jobs}/${job}`, body: { state } });

  test('is handed over in three requests, awaited, and read back row by row', async () => {
    simulator.configure({ jobMs: 150 });
    const sent = rows(1_000);
    const { job } = await importContacts.submit(call(), sent);
    expect(gate.ends).toHaveLength(3);
    expect(await importContacts.poll(call(), job, sent)).toEqual({ state: 'running', againMs: 10_000 });
    await delay(200);
    expect(await importContacts.poll(call(), job, sent)).toMatchObject({ state: 'running' });
    await delay(200);
    const results = await ended(job, sent);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['verified']));
    expect(new Set(results.map(({ vendorId }) => vendorId)).size).toBe(1_000);
    expect(simulator.records()).toHaveLength(1_000);
    expect(simulator.records()[7]!.properties).toEqual({ External_Id__c: 'Shop-7', LastName: 'Lovelace, "7"\nKöln' });
  });

  test.each(['POST', 'PUT', 'PATCH'])('the session expires after the %s of a job: renewed once, every row written once', async (method) => {
    lastOfSession = method;
    const { job } = await importContacts.submit(call(), rows(20));
    expect((await ended(job, rows(20))).every(({ status }) => status === 'verified')).toBe(true);
    expect(simulator.stats()).toMatchObject({ byPath: { 'POST /services/oauth2/token': 1, [`POST ${jobs}`]: 1 }, records: { writes: 20, identical: 0 } });
    expect(simulator.stats().byStatus['401']).toBe(1);
  });

  test('a complete job may hold failures: refused rows, and rows whose lock was taken', async () => {
    simulator.addFault({ kind: 'partial', emails: ['shop-3'], code: 'UNABLE_TO_LOCK_ROW', message: 'unable to obtain exclusive access to this record' });
    const sent = [...rows(5), row(5, { FirstName: 'Ada' }), row(6, { LastName: 'x', Email: 'ada@example' })];
    const { job } = await importContacts.submit(call(), sent);
    const results = await ended(job, sent);
    expect(results.map(({ status, code }) => [status, code].join(' ').trim())).toEqual([
      'verified',
      'verified',
      'verified',
      'retry UNABLE_TO_LOCK_ROW',
      'verified',
      'rejected REQUIRED_FIELD_MISSING',
      'rejected INVALID_EMAIL_ADDRESS',
    ]);
    expect(results[5]).toMatchObject({ cause: 'Required fields are missing: [LastName]' });
    expect(results[6]!.cause).toBe('Email: invalid email address: ***');
  });

  test('writes the same as the collection: empty and null clear, a field of other rows stays', async () => {
    const before = { LastName: 'Lovelace', Title: 'Countess', Phone: '1' };
    await upsertContacts.send(call(), [row(1, before), row(2, before)]);
    const sent = [row(1, { Title: '' }), row(2, { Phone: null, HasOptedOutOfEmail: true })];
    const { job } = await importContacts.submit(call(), sent);
    await ended(job, sent);
    expect(simulator.records().map(({ properties: { Title, Phone, HasOptedOutOfEmail } }) => [Title, Phone, HasOptedOutOfEmail])).toEqual([
      ['', '1', undefined],
      ['Countess', '', 'true'],
    ]);
  });

  test('aborted before it began: nothing has landed, and it is not for us to begin again', async () => {
    simulator.configure({ jobMs: 60_000 });
    const { job } = await importContacts.submit(call(), rows(4));
    await change(job, 'Aborted');
    expect(await importContacts.poll(call(), job, rows(4))).toMatchObject({ state: 'failed', retry: false, code: 'JOB_ABORTED' });
    expect(simulator.records()).toEqual([]);
  });

  test('aborted half-way: rows written are verified, unprocessed ones rejected', async () => {
    simulator.configure({ jobMs: 300 });
    const { job } = await importContacts.submit(call(), rows(6));
    await delay(350);
    expect(await importContacts.poll(call(), job, rows(6))).toMatchObject({ state: 'running' });
    await change(job, 'Aborted');
    const results = await ended(job, rows(6));
    expect(results.map(({ status, code }) => code ?? status)).toEqual([...Array<string>(3).fill('verified'), ...Array<string>(3).fill('JOB_ABORTED')]);
    expect(simulator.records()).toHaveLength(3);
  });

  test('a job that failed over its columns is not tried again', async () => {
    const sent = [row(1, { LastName: 'x', Nope__c: 'y' })];
    const { job } = await importContacts.submit(call(), sent);
    expect(await importContacts.poll(call(), job, sent)).toMatchObject({
      state: 'failed',
      retry: false,
      code: 'InvalidBatch',
      cause: expect.stringContaining('Nope__c') as string,
    });
  });

  test('the answer to closing is lost: one look, and the job is under way', async () => {
    simulator.addFault({ kind: 'timeoutAfterCommit', match: { method: 'PATCH' } });
    const { job } = await importContacts.submit(hasty(), rows(2));
    expect(simulator.stats().byPath).toMatchObject({ [`POST ${jobs}`]: 1, [`PATCH ${jobs}/:id`]: 1, [`GET ${jobs}/:id`]: 1 });
    expect(await ended(job, rows(2))).toHaveLength(2);
    expect(simulator.stats().records).toMatchObject({ writes: 2, identical: 0 });
  });

  test.each([
    ['creating', { kind: 'timeoutAfterCommit', match: { method: 'POST' } }],
    ['uploading', { kind: 'timeoutAfterCommit', match: { method: 'PUT' } }],
    ['closing, which did not come through', { kind: 'timeoutBeforeCommit', match: { method: 'PATCH' } }],
  ] as const)('lost while %s: the caller hears of it, and nothing is ever processed', async (_when, fault) => {
    simulator.addFault(fault);
    await expect(importContacts.submit(hasty(), rows(2))).rejects.toMatchObject({ code: 'UNAVAILABLE', ambiguous: true });
    const { job } = await importContacts.submit(call(), rows(2));
    expect(await ended(job, rows(2))).toMatchObject([{ status: 'verified' }, { status: 'verified' }]);
    expect(simulator.stats().records).toMatchObject({ writes: 2, identical: 0 });
  });

  test('closing is refused: no look, the refusal', async () => {
    simulator.addFault({ kind: 'rateLimit', match: { method: 'PATCH' } });
    await expect(importContacts.submit(call(), rows(2))).rejects.toMatchObject({ code: 'RATE_LIMITED', limitName: 'DAILY_API_REQUESTS' });
    expect(gate.ends).toHaveLength(3);
  });

  test('results that are empty, or fail to come, make no fate', async () => {
    const { job } = await importContacts.submit(call(), rows(2));
    simulator.addFault({ kind: 'emptyResult', match: { path: 'successfulResults' } });
    expect((await ended(job, rows(2))).map(({ status, code }) => `${status} ${code}`)).toEqual(Array(2).fill('retry MISSING_RESULT'));
    simulator.addFault({ kind: 'serverError', match: { path: 'failedResults' } });
    await expect(importContacts.poll(call(), job, rows(2))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    simulator.addFault({ kind: 'status', status: 200, body: '<html>Maintenance</html>', match: { path: 'failedResults' } });
    await expect(importContacts.poll(call(), job, rows(2))).rejects.toMatchObject({ code: 'UNKNOWN' });
    expect(await ended(job, rows(2))).toMatchObject([{ status: 'verified' }, { status: 'verified' }]);
  });

  test('a job nobody knows any more', async () => {
    await expect(importContacts.poll(call(), '750000000000999', rows(1))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(importContacts.poll(call(), '../../sobjects', rows(1))).rejects.toMatchObject({ code: 'UNKNOWN' });
  });

  test('a job over the bound is not sent', async () => {
    const large = Array.from({ length: 100 }, (_, n) => row(n, { LastName: 'x'.repeat(100_000) }));
    await expect(importContacts.submit(call(), large)).rejects.toMatchObject({ code: 'TOO_LARGE', status: null });
  });
});

describe('what Salesforce may say of a job', () => {
  const poll = (answers: Record<string, unknown>): Promise<JobState> => {
    const request = ({ path }: VendorRequest) => Promise.resolve({ status: 200, headers: {}, data: answers[path.split('/').at(-1)!] ?? '' });
    const get = (path: string) => request({ method: 'GET', path });
    const call: Call = { request, get, post: get };
    return importContacts.poll(call, id, rows(3));
  };
  const id = '750000000000001';
  const state = (name: string, more: object = {}) => ({ [id]: { id, state: name, ...more } });
  const csv = (header: string, ...lines: string[]) => [header, ...lines].join('\n');

  test('still open: never closed, so nothing happens and it may go again', async () => {
    expect(await poll(state('Open'))).toMatchObject({ state: 'failed', retry: true, code: 'NOT_CLOSED' });
  });

  test.each([
    ['TooManyLockFailure : Too many lock failure. Try again later.', true, 'TooManyLockFailure'],
    ['InternalServerError : Unable to process', true, 'InternalServerError'],
    ['ClientInputError : LineEnding is invalid on user data', false, 'ClientInputError'],
    ['something of ada@example.com', true, 'JOB_FAILED'],
    [null, true, 'JOB_FAILED'],
  ])('failed: %s', async (errorMessage, retry, code) => {
    const failed = await poll(state('Failed', { errorMessage }));
    expect(failed).toMatchObject({ state: 'failed', retry, code });
    expect((failed as { cause: string }).cause).not.toContain('@example');
  });

  test('failed half-way: what is unprocessed may go again, what is nowhere too', async () => {
    const job = await poll({
      ...state('Failed', { errorMessage: 'TooManyLockFailure : Try again later.' }),
      successfulResults: csv('"sf__Id","sf__Created","External_Id__c"', '"0031","true","Shop-0"', '"0039","true","somebody else’s"'),
      unprocessedrecords: csv('External_Id__c,LastName', 'SHOP-1,x'),
    });
    expect(job).toMatchObject({
      results: [
        { status: 'verified', vendorId: '0031' },
        { status: 'retry', code: 'TooManyLockFailure' },
        { status: 'retry', code: 'MISSING_RESULT' },
      ],
    });
  });

  test('a row with an id and an error has failed; an error in no known form is not permanent', async () => {
    const job = await poll({
      ...state('JobComplete'),
      successfulResults: csv('sf__Id,sf__Created,External_Id__c', '0031,true,Shop-0', '0032,true,Shop-1', ',true,Shop-2'),
      failedResults: csv('sf__Id,sf__Error,External_Id__c', '0031,DUPLICATE_VALUE:duplicate value found: x:Ext__c --,Shop-0', ',odd words,Shop-2'),
    });
    expect(job).toMatchObject({ results: [{ status: 'rejected', code: 'DUPLICATE_VALUE' }, { status: 'verified' }, { status: 'retry', code: 'UNKNOWN' }] });
  });

  test.each([
    {},
    state('Finished'),
    { [id]: null },
    { ...state('JobComplete'), successfulResults: 'a,b\n1,2\n' },
    { ...state('JobComplete'), successfulResults: 'sf__Id,x\n"1' },
  ])('%j is nothing we know', async (answers) => {
    await expect(poll(answers)).rejects.toBeInstanceOf(VendorError);
  });

  test('a text that would clear a field is no input', () => {
    expect(importContacts.input.safeParse(row(1, { Title: '#N/A' })).success).toBe(false);
    expect(importContacts.input.safeParse(row(1, { Title: 'N/A' })).success).toBe(true);
  });
});
