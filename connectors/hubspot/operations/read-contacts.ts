import type { Call } from '../../connector';
import { emailKey } from '../../email-key';

/** A contact as HubSpot has it now; `found: false` = HubSpot has no contact with this address. */
export type ReadContact = { key: string; found: true; vendorId: string; properties: Record<string, string | null> } | { key: string; found: false };

const maxBatch = 100;

interface Found {
  id?: unknown;
  properties?: Record<string, string | null>;
}

/**
 * Reads contacts back by e-mail address: `POST /crm/v3/objects/contacts/batch/read`, one request (and permit) per 100. Read
 * this way, not by search, whose results lag behind writes. An address may be a contact's second one: those are matched
 * through `hs_additional_emails`, which is therefore always asked for.
 *
 * @param properties - internal names of the properties to read
 */
export async function readContacts(call: Call, emails: readonly string[], properties: readonly string[] = []): Promise<ReadContact[]> {
  const keys = [...new Set(emails.map(emailKey))];
  const byKey = new Map<string, Found>();
  for (let start = 0; start < keys.length; start += maxBatch) {
    const response = await call.post('/crm/v3/objects/contacts/batch/read', {
      idProperty: 'email',
      properties: [...new Set(['email', 'hs_additional_emails', ...properties])],
      inputs: keys.slice(start, start + maxBatch).map((id) => ({ id })),
    });
    const results = (response.data as { results?: unknown } | null)?.results;
    for (const found of (Array.isArray(results) ? results : []) as Found[]) {
      const { email, hs_additional_emails: others } = found.properties ?? {};
      for (const address of [email ?? '', ...(others ?? '').split(';')]) byKey.set(emailKey(address), found);
    }
  }
  return keys.map((key) => {
    const found = byKey.get(key);
    return found ? { key, found: true, vendorId: String(found.id), properties: found.properties ?? {} } : { key, found: false };
  });
}
