import { z } from 'zod';
import { defineOperation, type Operation, type RecordResult } from '../../connector';
import { klaviyo } from '../index';
import { ask } from '../json-api';
import { emailKey } from '../../email-key';
import { readProfiles, type ReadProfile } from './read-profiles';

const input = z.object({ email: z.email() });

/** A person whose membership is written. */
export type ListMember = z.output<typeof input>;

/**
 * Puts profiles on a list: `POST /api/lists/{id}/relationships/profiles`. They must exist already: who has no profile is
 * rejected as `NO_PROFILE` (`importIntoList` makes profiles too). Changes no consent.
 */
export function addToList(list: string): Operation<ListMember> {
  return membership(list, 'add');
}

/** Takes profiles off a list: `DELETE /api/lists/{id}/relationships/profiles`. Who has no profile is on no list: accepted, `NO_PROFILE`. */
export function removeFromList(list: string): Operation<ListMember> {
  return membership(list, 'remove');
}

/** What both write: part of the fence's key, so that the newer of an addition and a removal wins. */
export function memberOf(list: string): string {
  if (!/^\w{1,40}$/.test(list)) throw new Error(`klaviyo: "${list}" is not the id of a list (letters and digits, e.g. Y6nRLr)`);
  return `list-member:${list}`;
}

/** Members go by Klaviyo's ids, so each call looks them up first: a request per 100 people, then one for the list. */
function membership(list: string, change: 'add' | 'remove'): Operation<ListMember> {
  return defineOperation({
    connector: klaviyo,
    name: `list.${list}.${change}`,
    object: memberOf(list),
    quota: 'profiles',
    requests: 2,
    maxBatch: 1_000,
    resend: 'safe',
    input,
    key: ({ email }) => emailKey(email),
    fields: () => ['member'],
    without: (member, fields) => (fields.includes('member') ? null : member),
    async send(call, batch) {
      const profiles = await readProfiles(
        call,
        batch.map(({ email }) => email),
        ['email'],
      );
      const ids = [...new Set(profiles.flatMap((profile) => (profile.found ? [profile.vendorId] : [])))];
      if (ids.length === 0) return profiles.map((profile) => resultOf(profile, change, 204));
      const { status } = await ask(call, {
        method: change === 'add' ? 'POST' : 'DELETE',
        path: `/api/lists/${list}/relationships/profiles`,
        body: { data: ids.map((id) => ({ type: 'profile', id })) },
        quota: 'lists',
      });
      return profiles.map((profile) => resultOf(profile, change, status));
    },
  });
}

/** The answer names nobody: 204 is for all. Any other 2xx is not the one documented, and proves nothing. */
function resultOf(profile: ReadProfile, change: 'add' | 'remove', status: number): RecordResult {
  const { key } = profile;
  if (!profile.found) {
    const cause = 'Klaviyo has no profile with this e-mail address';
    return { key, status: change === 'add' ? 'rejected' : 'accepted', code: 'NO_PROFILE', cause };
  }
  if (status === 204) return { key, status: 'accepted', vendorId: profile.vendorId };
  return { key, status: 'retry', code: 'MISSING_RESULT', cause: `Klaviyo answered a change of the list with ${status} instead of 204` };
}
