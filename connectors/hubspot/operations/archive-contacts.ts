import { z } from 'zod';
import { defineOperation, type RecordResult } from '../../connector';
import { hubspot } from '../index';
import { readContacts } from './read-contacts';

const input = z.object({
  key: z.string().min(1).describe('E-mail address'),
  vendorId: z.string().nullable().describe('HubSpot’s record id; null = looked up by the address, which costs one more call'),
});

/**
 * Archives contacts: `POST /crm/v3/objects/contacts/batch/archive`, up to 100 a call (HubSpot's public API specification,
 * 2026-08). Takes record ids only. The answer is an empty 204: all or none, no word on a single record, and an id that is
 * gone already is no error. An archived contact can be restored in HubSpot for 90 days.
 */
export const archiveContacts = defineOperation({
  connector: hubspot,
  name: 'contacts.archive',
  object: 'contact',
  maxBatch: 100,
  resend: 'safe',
  input,
  key: ({ key }) => key.trim().toLowerCase(),
  fields: () => ['archived'],
  without: (contact, fields) => (fields.includes('archived') ? null : contact),
  async send(call, batch) {
    const unknown = batch.filter(({ vendorId }) => vendorId === null).map(({ key }) => key);
    const found = new Map((await readContacts(call, unknown)).flatMap((contact) => (contact.found ? [[contact.key, contact.vendorId] as const] : [])));
    const records = batch.map((contact) => {
      const key = contact.key.trim().toLowerCase();
      return { key, id: contact.vendorId ?? found.get(key) };
    });
    const inputs = records.flatMap(({ id }) => (id === undefined ? [] : [{ id }]));
    const status = inputs.length > 0 ? (await call.post('/crm/v3/objects/contacts/batch/archive', { inputs })).status : 204;
    return records.map(({ key, id }): RecordResult => {
      if (id === undefined) return { key, status: 'accepted' };
      if (status === 204) return { key, status: 'accepted', vendorId: id };
      // Any other 2xx is not the one documented, and proves nothing.
      return { key, status: 'retry', code: 'MISSING_RESULT', cause: `HubSpot answered an archive with ${status} instead of 204` };
    });
  },
});
