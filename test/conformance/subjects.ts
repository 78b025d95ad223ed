import type { Call, Connector, JobOperation } from '../../connectors/connector';
import type { VendorError } from '../../connectors/errors';
import type { FaultInput } from '../../connectors/simulator/faults';
import type { SimRecord } from '../../connectors/simulator/records';
import type { SimulatedVendor } from '../../connectors/simulator/types';
import { googleDataManager } from '../../connectors/google-data-manager';
import { joining } from '../../connectors/google-data-manager/operations/member';
import { addToUserList, removeFromUserList } from '../../connectors/google-data-manager/operations/user-list';
import { simulated as simulatedGoogleDataManager } from '../../connectors/google-data-manager/simulator';
import { leadScore, leadscore } from '../../connectors/leadscore';
import { simulated as simulatedLeadscore } from '../../connectors/leadscore/simulator';
import { hubspot } from '../../connectors/hubspot';
import { archiveContacts } from '../../connectors/hubspot/operations/archive-contacts';
import { upsertContacts } from '../../connectors/hubspot/operations/upsert-contacts';
import { simulated as simulatedHubspot } from '../../connectors/hubspot/simulator';
import { marketo } from '../../connectors/marketo';
import { upsertLeads } from '../../connectors/marketo/operations/upsert-leads';
import { simulated as simulatedMarketo } from '../../connectors/marketo/simulator';
import { salesforce } from '../../connectors/salesforce';
import { upsertContacts as upsertSalesforceContacts } from '../../connectors/salesforce/operations/contacts';
import { simulated as simulatedSalesforce } from '../../connectors/salesforce/simulator';
import { klaviyo } from '../../connectors/klaviyo';
import { importIntoList, importProfiles } from '../../connectors/klaviyo/operations/import-profiles';
import { addToList, removeFromList } from '../../connectors/klaviyo/operations/list-members';
import { readProfiles } from '../../connectors/klaviyo/operations/read-profiles';
import { upsertProfiles } from '../../connectors/klaviyo/operations/upsert-profiles';
import { simulated as simulatedKlaviyo } from '../../connectors/klaviyo/simulator';
import { meta } from '../../connectors/meta';
import { addToAudience, removeFromAudience } from '../../connectors/meta/operations/audience-members';
import { simulated as simulatedMeta } from '../../connectors/meta/simulator';
import type { Operation } from '../../connectors/connector';

/** A connector and its simulator: every rule of the suite is checked against it. */
export interface Subject {
  connector: Connector;
  simulated: SimulatedVendor;
  credentials: Record<string, string>;
  /** One good request, whatever the connector offers. */
  once(call: Call): Promise<unknown>;
  /** For connectors with several quotas: one good request that counts by each. */
  quotas?: Record<string, (call: Call) => Promise<unknown>>;
  operations: OperationSubject[];
  jobs?: JobSubject[];
}

/** A write operation, with inputs of its own. */
export interface OperationSubject {
  operation: Operation<unknown>;
  /** The nth good input; keys differ. */
  input(n: number): unknown;
  /** What must be at the vendor before these inputs can be written. @default nothing */
  before?(call: Call, inputs: unknown[]): Promise<unknown>;
  /** Requests a batch takes. @default 1 */
  requests?(size: number): number;
  /** Which of them writes: faults are to strike there. @default the only one */
  write?: { method: string; path: string };
  /** The vendor says yes or no to the call, and nothing of its records. */
  whole?: boolean;
  /** Whether the write of this record took effect. @default there is a record with its key */
  landed?(records: readonly SimRecord[], key: string): boolean;
}

/** A job operation, with inputs of its own. */
export interface JobSubject {
  job: JobOperation<unknown>;
  /** The nth good row; keys differ. */
  input(n: number): unknown;
  /** What must be at the vendor before these rows can be written. @default nothing */
  before?(call: Call, rows: unknown[]): Promise<unknown>;
  /** The answer to a poll by which the vendor calls a job off. */
  cancelled: FaultInput;
  /** Where jobs are submitted, and how. */
  path: string;
  /** @default 'POST' */
  method?: string;
  /** Whether a row took effect. @default there is a record with its key */
  landed?(records: readonly SimRecord[], key: string): boolean;
  /** The vendor says how many rows it took, and never which: no results, `unattributed`, `taken`; nothing can be read back. */
  aggregates?: true;
  /** Keys that the vendor has, of those asked: how anybody learns that an accepted job was dropped. Needed without `aggregates`. */
  readBack?(call: Call, keys: string[]): Promise<string[]>;
}

function operation<I>(subject: Omit<OperationSubject, 'operation' | 'input'> & { operation: Operation<I>; input: (n: number) => I }): OperationSubject {
  return subject;
}

function job<I>(subject: Omit<JobSubject, 'job' | 'input'> & { job: JobOperation<I>; input: (n: number) => I }): JobSubject {
  return subject;
}

const profile = (n: number) => ({
  email: `Person.${n}@Example.com`,
  attributes: { first_name: `Ada${n}` },
  properties: { tier: 'gold' },
});
const member = (n: number) => ({ email: `Person.${n}@Example.com` });
const onList = (list: string) => (records: readonly SimRecord[], key: string) =>
  records.some((record) => record.collection === `list:${list}` && record.key === key);

/** Profiles for people who are only named by their address. */
async function importPeople(call: Call, people: unknown[]): Promise<void> {
  const rows = people as { email: string }[];
  const { job: id } = await importProfiles.submit(call, rows);
  while ((await importProfiles.poll(call, id, rows)).state === 'running') await new Promise((resolve) => setTimeout(resolve, 20));
}

const klaviyoList = { before: importPeople, requests: (size: number) => Math.ceil(size / 100) + 1, whole: true };
const klaviyoJob = {
  path: '/api/profile-bulk-import-jobs',
  cancelled: {
    kind: 'status' as const,
    status: 200,
    match: { method: 'GET', path: '/api/profile-bulk-import-jobs/' },
    body: { data: { type: 'profile-bulk-import-job', id: 'x', attributes: { status: 'cancelled', total_count: 5, created_at: '2026-11-22T00:00:00+00:00' } } },
  },
  readBack: async (call: Call, keys: string[]) => (await readProfiles(call, keys)).flatMap((one) => (one.found ? [one.key] : [])),
};

const userList = { operatingAccount: { accountType: 'GOOGLE_ADS', accountId: '1234567890' }, userListId: '9876' } as const;
const joinUserList = addToUserList(userList);
const audiencePerson = (n: number) => joining.parse({ emails: [`Person.${n}@Example.com`], phones: ['+1 800 555 0100'] });
const oneToUserList = {
  destinations: [{ operatingAccount: userList.operatingAccount, productDestinationId: userList.userListId }],
  audienceMembers: [{ userData: { userIdentifiers: [{ emailAddress: '0'.repeat(64) }] } }],
  encoding: 'HEX',
  termsOfService: { customerMatchTermsOfServiceStatus: 'ACCEPTED' },
};
const googleJob = {
  aggregates: true as const,
  cancelled: {
    kind: 'status' as const,
    status: 200,
    match: { method: 'GET', path: '/v1/requestStatus:retrieve' },
    body: {
      requestStatusPerDestination: [
        { requestStatus: 'FAILED', errorInfo: { errorCounts: [{ recordCount: '5', reason: 'PROCESSING_ERROR_REASON_INTERNAL_ERROR' }] } },
      ],
    },
  },
};

/** Runs a job to its end, for others that need what it writes. */
async function runJob<I>(call: Call, job: JobOperation<I>, rows: I[]): Promise<void> {
  for (let from = 0; from < rows.length; from += job.maxRows) {
    const part = rows.slice(from, from + job.maxRows);
    const { job: id } = await job.submit(call, part);
    while ((await job.poll(call, id, part)).state === 'running') await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const audience = { id: '120330000000000001', add: addToAudience('120330000000000001'), remove: removeFromAudience('120330000000000001') };
const person = (n: number) => ({ emails: [`Person.${n}@Example.com`], phones: [], firstName: 'Ada', country: 'DE', externalId: `C-${n}` });
const inAudience = (records: readonly SimRecord[], key: string) =>
  records.some((record) => record.collection === `audience:${audience.id}` && record.key === key);
const metaJob = {
  aggregates: true as const,
  path: `/${audience.id}/users`,
  cancelled: {
    kind: 'status' as const,
    status: 200,
    match: { method: 'GET', path: `/${audience.id}/sessions` },
    body: {
      data: [
        { session_id: '1', start_time: '1', end_time: '0', num_received: '5', num_matched: '-1', num_invalid_entries: '0', progress: '0', stage: 'failed' },
      ],
    },
  },
};

/** Every connector in the repository. A new one adds itself here. */
export const subjects: Subject[] = [
  {
    connector: hubspot,
    simulated: simulatedHubspot,
    credentials: { token: 'pat-na1-conformance-0123456789abcdef' },
    once: (call) => upsertContacts.send(call, [{ email: 'once@example.com', properties: { firstname: 'Ada' } }]),
    operations: [
      operation({ operation: upsertContacts, input: (n) => ({ email: `Person.${n}@Example.com`, properties: { firstname: `Ada${n}` } }) }),
      operation({
        operation: archiveContacts,
        input: (n) => ({ key: `person.${n}@example.com`, vendorId: null }),
        before: async (call, people) => {
          const contacts = (people as { key: string }[]).map(({ key }) => ({ email: key, properties: { firstname: 'Ada' } }));
          for (let from = 0; from < contacts.length; from += 100) await upsertContacts.send(call, contacts.slice(from, from + 100));
        },
        // Looked up by address, then archived by id.
        requests: () => 2,
        write: { method: 'POST', path: '/crm/v3/objects/contacts/batch/archive' },
        whole: true,
        landed: (records, key) => !records.some((record) => record.key === key),
      }),
    ],
  },
  {
    connector: klaviyo,
    simulated: simulatedKlaviyo,
    credentials: { apiKey: 'pk_conformance0123456789abcdef' },
    once: (call) => readProfiles(call, ['once@example.com']),
    quotas: {
      profiles: (call) => readProfiles(call, ['once@example.com']),
      imports: (call) => importProfiles.submit(call, [profile(0)]),
      // Nobody to take off: refused, but counted.
      lists: (call) =>
        call.request({ method: 'DELETE', path: '/api/lists/Y6nRLr/relationships/profiles', body: { data: [] } }).catch((error: VendorError) => {
          if (error.code !== 'INVALID') throw error;
        }),
    },
    operations: [
      operation({ operation: upsertProfiles, input: profile }),
      operation({
        ...klaviyoList,
        operation: addToList('Y6nRLr'),
        input: member,
        write: { method: 'POST', path: '/lists/Y6nRLr' },
        landed: onList('Y6nRLr'),
      }),
      operation({
        ...klaviyoList,
        operation: removeFromList('Y6nRLr'),
        input: member,
        before: async (call, people) => {
          await importPeople(call, people);
          for (let from = 0; from < people.length; from += 1_000)
            await addToList('Y6nRLr').send(call, (people as { email: string }[]).slice(from, from + 1_000));
        },
        write: { method: 'DELETE', path: '/lists/Y6nRLr' },
        landed: (records, key) => !onList('Y6nRLr')(records, key),
      }),
    ],
    jobs: [
      job({ ...klaviyoJob, job: importProfiles, input: profile }),
      job({ ...klaviyoJob, job: importIntoList('Y6nRLr'), input: profile, landed: onList('Y6nRLr') }),
    ],
  },
  {
    connector: googleDataManager,
    simulated: simulatedGoogleDataManager,
    credentials: {
      clientId: '1234567890-conformance.apps.googleusercontent.com',
      clientSecret: 'GOCSPX-conformance-0123456789',
      refreshToken: '1//0conformance-0123456789abcdef',
    },
    // By itself: the job takes a refusal of the whole list for its end.
    once: (call) => call.post('/v1/audienceMembers:ingest', oneToUserList),
    quotas: {
      ingestion: (call) => joinUserList.submit(call, [audiencePerson(0)]),
      status: (call) => joinUserList.poll(call, 'no-such-request', [audiencePerson(0)]),
    },
    operations: [],
    jobs: [
      job({ ...googleJob, job: joinUserList, input: audiencePerson, path: '/v1/audienceMembers:ingest' }),
      job({
        ...googleJob,
        job: removeFromUserList(userList),
        input: (n) => ({ key: joinUserList.key(audiencePerson(n)), vendorId: null }),
        before: (call, leaving) =>
          runJob(
            call,
            joinUserList,
            leaving.map((_, n) => audiencePerson(n)),
          ),
        path: '/v1/audienceMembers:remove',
        landed: (records) => records.length === 0,
      }),
    ],
  },
  {
    connector: leadscore,
    simulated: simulatedLeadscore,
    credentials: { apiKey: 'conformance-key-0123456789abcdef' },
    once: (call) => leadScore.fetch(call, { customerId: 'customer-1' }),
    operations: [],
  },
  {
    connector: salesforce,
    simulated: simulatedSalesforce,
    credentials: { clientId: '3MVG9.conformance.0123456789', clientSecret: 'conformance-consumer-secret-0123456789abcdef' },
    once: (call) => upsertSalesforceContacts.send(call, [{ externalId: 'once', fields: { LastName: 'Lovelace' } }]),
    operations: [
      operation({
        operation: upsertSalesforceContacts,
        input: (n) => ({ externalId: `Shop-${n}`, fields: { LastName: `Lovelace ${n}`, HasOptedOutOfEmail: false, Title: null } }),
      }),
    ],
  },
  {
    connector: marketo,
    simulated: simulatedMarketo,
    credentials: { clientId: 'conformance-client-0123456789', clientSecret: 'conformance-secret-0123456789abcdef' },
    once: (call) => upsertLeads.send(call, [{ email: 'once@example.com', fields: { firstName: 'Ada' } }]),
    operations: [
      operation({ operation: upsertLeads, input: (n) => ({ email: `Person.${n}@Example.com`, fields: { firstName: `Ada${n}`, leadScore: n, title: null } }) }),
    ],
  },
  {
    connector: meta,
    simulated: simulatedMeta,
    credentials: { accessToken: 'EAAconformance0123456789abcdef' },
    once: (call) => audience.add.submit(call, [person(0)]),
    operations: [],
    jobs: [
      job({ ...metaJob, job: audience.add, input: person, landed: inAudience }),
      job({
        ...metaJob,
        job: audience.remove,
        method: 'DELETE',
        input: (n) => ({ key: audience.add.key(person(n)), vendorId: null }),
        before: (call, rows) =>
          runJob(
            call,
            audience.add,
            Array.from(rows, (_, n) => person(n)),
          ),
        landed: (records, key) => !inAudience(records, key),
      }),
    ],
  },
];
