import { z } from 'zod';
import { looksHashed } from './hash';
import { normalEmail, normalPhone } from './normal-form';

const raw = z.string().trim().min(1).max(320);

/**
 * A person as a sync maps them for an audience: raw identifiers, which leave as hashes only. Several e-mail addresses and
 * phone numbers are several identifiers of one member.
 */
export const audienceMember = z
  .strictObject({
    emails: z.array(raw).max(5).default([]),
    phones: z.array(raw).max(5).default([]),
    firstName: raw.optional(),
    lastName: raw.optional(),
    /** ISO 3166-1 alpha-2, e.g. `DE`; also what phone numbers without a country code are read in. */
    country: z
      .string()
      .regex(/^[A-Za-z]{2}$/, 'expected two letters, e.g. DE')
      .optional(),
    postalCode: raw.optional(),
    /** The caller's own id of the person, which vendors keep unhashed: never an address. */
    externalId: z
      .string()
      .max(100)
      .regex(/^[^@\s]+$/, 'expected an id without @ and spaces')
      .optional(),
  })
  .superRefine((member, context) => {
    const fields = { emails: member.emails, phones: member.phones, firstName: [member.firstName ?? ''], lastName: [member.lastName ?? ''] };
    for (const [field, values] of Object.entries(fields)) {
      values.forEach((value, index) => {
        if (looksHashed(value)) context.addIssue({ code: 'custom', path: [field, index], message: 'expected it as written; what is there is hashed already' });
      });
    }
    member.emails.forEach((email, index) => {
      if (!looksHashed(email) && normalEmail(email) === null)
        context.addIssue({ code: 'custom', path: ['emails', index], message: 'expected an e-mail address' });
    });
    member.phones.forEach((phone, index) => {
      if (!looksHashed(phone) && normalPhone(phone, member.country) === null)
        context.addIssue({ code: 'custom', path: ['phones', index], message: 'expected a phone number with its country code, or a country beside it' });
    });
    if (member.emails.length + member.phones.length === 0 && member.externalId === undefined)
      context.addIssue({ code: 'custom', path: ['emails'], message: 'expected an e-mail address, a phone number or an external id' });
  });

/** {@link audienceMember}, read. */
export type AudienceMember = z.output<typeof audienceMember>;
