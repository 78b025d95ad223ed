import { importSObjects } from './import-sobjects';
import { upsertSObjects } from './upsert-sobjects';

// The field is the org's own: these two are the sample for an org that calls it so.
const contacts = { object: 'Contact', externalId: 'External_Id__c' };

/** Contacts by `External_Id__c`, up to 200 a call. */
export const upsertContacts = upsertSObjects({ ...contacts, name: 'contacts.upsert' });

/** Contacts by `External_Id__c`, as a Bulk API 2.0 job: for thousands. */
export const importContacts = importSObjects({ ...contacts, name: 'contacts.import' });
