import type { Call } from '../../connector';
import { VendorError } from '../../errors';
import { ask, cursorIn, resourcesIn } from '../json-api';
import { emailKey } from '../../email-key';

/** A profile as Klaviyo has it now; `found: false` = it has none with this address. */
export type ReadProfile = { key: string; found: true; vendorId: string; attributes: Readonly<Record<string, unknown>> } | { key: string; found: false };

/** Largest page of `GET /api/profiles`; so many addresses have at most so many profiles. */
const pageSize = 100;
/** Servers and proxies take request lines of 8 kB; characters, encoded. */
const maxFilter = 7_000;

/**
 * Reads profiles by e-mail address: `GET /api/profiles?filter=any(email,[…])`, one request (and permit) per 100 addresses or
 * fewer when they are long. Counts by the quota `profiles`.
 *
 * @param names - attributes to read; Klaviyo sends all when none is named
 */
export async function readProfiles(call: Call, emails: readonly string[], names: readonly string[] = []): Promise<ReadProfile[]> {
  const keys = [...new Set(emails.map(emailKey))];
  const byKey = new Map<string, { id: string; attributes: Readonly<Record<string, unknown>> }>();
  for (const asked of filters(keys)) {
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const query = {
        filter: `any(email,${JSON.stringify(asked)})`,
        'page[size]': String(pageSize),
        ...(names.length === 0 ? {} : { 'fields[profile]': [...new Set(['email', ...names])].join(',') }),
        ...(cursor === undefined ? {} : { 'page[cursor]': cursor }),
      };
      const { status, data } = await ask(call, { method: 'GET', path: '/api/profiles', query, quota: 'profiles' });
      const profiles = resourcesIn(data);
      if (!profiles) throw new VendorError({ code: 'UNKNOWN', status, message: 'Klaviyo answered a search without a list of profiles' });
      for (const { id, attributes } of profiles) {
        if (id !== undefined && typeof attributes['email'] === 'string') byKey.set(emailKey(attributes['email']), { id, attributes });
      }
      const next = cursorIn(data);
      cursor = next === cursor || profiles.length === 0 ? undefined : next;
    }
  }
  return keys.map((key) => {
    const profile = byKey.get(key);
    return profile ? { key, found: true, vendorId: profile.id, attributes: profile.attributes } : { key, found: false };
  });
}

/** Addresses by the request: as many as a page holds and an address line takes. */
function filters(keys: readonly string[]): string[][] {
  const parts: string[][] = [];
  let length = 0;
  for (const key of keys) {
    const added = encodeURIComponent(JSON.stringify(key)).length + 3;
    const last = parts.at(-1);
    if (last && last.length < pageSize && length + added <= maxFilter) {
      last.push(key);
      length += added;
    } else {
      parts.push([key]);
      length = added;
    }
  }
  return parts;
}
