import { z } from 'zod';
import { emailKey } from '../../email-key';
import { defineOperation } from '../../connector';
import { VendorError } from '../../errors';
import { hubspot } from '../index';
import { refusalsOf, resultsOf, type SentContact } from './outcomes';

const input = z
  .object({
    email: z.email().describe('Upsert key; HubSpot stores it in lower case'),
    properties: z
      .record(z.string(), z.string())
      .describe('Internal property name to value; an empty string clears the property, a property left out keeps its value'),
  })
  .refine((contact) => contact.properties['email'] === undefined || emailKey(contact.properties['email']) === emailKey(contact.email), {
    path: ['properties', 'email'],
    message: 'must be the contact’s own e-mail address: another one would move the contact to a new key',
  });

/** A contact to write. */
export type UpsertContact = z.output<typeof input>;

/**
 * Creates or updates contacts by e-mail address: `POST /crm/v3/objects/contacts/batch/upsert`, up to 100 a call (HubSpot's
 * public API specification, 2026-08). With a trace id on every input HubSpot judges each record by itself (207); without,
 * one bad record refuses all. Sending a contact twice is harmless: the second write sets the same values.
 */
export const upsertContacts = defineOperation({
  connector: hubspot,
  name: 'contacts.upsert',
  object: 'contact',
  maxBatch: 100,
  resend: 'safe',
  input,
  key: (contact) => emailKey(contact.email),
  fields: (contact) => Object.keys(contact.properties),
  without: (contact, fields) => {
    const rest = Object.entries(contact.properties).filter(([name]) => !fields.includes(name));
    return rest.length === 0 ? null : { ...contact, properties: Object.fromEntries(rest) };
  },
  async send(call, batch) {
    const sent: SentContact[] = batch.map((contact, index) => ({
      key: emailKey(contact.email),
      traceId: String(index + 1),
      properties: contact.properties,
    }));
    const inputs = sent.map(({ key, traceId, properties }) => ({ id: key, idProperty: 'email', objectWriteTraceId: traceId, properties }));
    try {
      const response = await call.post('/crm/v3/objects/contacts/batch/upsert', { inputs });
      return resultsOf(response.data, sent);
    } catch (error) {
      const named = error instanceof VendorError && error.code === 'INVALID' ? refusalsOf(error, sent) : [];
      if (named.length === 0) throw error;
      return named;
    }
  },
});
