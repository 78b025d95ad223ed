import type { Json } from '../../../schemas/json';
import { defineOperation, type RecordResult } from '../../connector';
import { VendorError } from '../../errors';
import { errorIn, explain } from '../errors';
import { klaviyo } from '../index';
import { ask, resourceIn } from '../json-api';
import { emailKey } from '../../email-key';
import { fieldsOf, masking, profileInput, resourceOf, withoutFields, type Profile } from './profile';

/**
 * Creates or updates one profile by e-mail address: `POST /api/profile-import`, 201 or 200. Klaviyo has no synchronous call
 * for several; many go as a job (`import-profiles.ts`). Sending a profile twice sets the same values again.
 */
export const upsertProfiles = defineOperation({
  connector: klaviyo,
  name: 'profiles.upsert',
  object: 'profile',
  quota: 'profiles',
  maxBatch: 1,
  maxBatchBytes: 100 * 1024,
  resend: 'safe',
  input: profileInput,
  key: ({ email }) => emailKey(email),
  fields: fieldsOf,
  without: withoutFields,
  async send(call, batch) {
    const [profile, ...others] = batch;
    if (!profile || others.length > 0) {
      throw new VendorError({ code: 'INVALID', status: null, message: `Klaviyo takes one profile a call, not ${batch.length}; not sent` });
    }
    try {
      const response = await ask(call, { method: 'POST', path: '/api/profile-import', body: { data: resourceOf(profile) } });
      return [resultOf(profile, resourceIn(response.data)?.id)];
    } catch (error) {
      const refusal = error instanceof VendorError ? refusalOf(profile, error) : undefined;
      if (!refusal) throw error;
      return [refusal];
    }
  },
});

function resultOf(profile: Profile, vendorId: string | undefined): RecordResult {
  const key = emailKey(profile.email);
  if (vendorId !== undefined) return { key, status: 'accepted', vendorId };
  return { key, status: 'retry', code: 'MISSING_RESULT', cause: 'Klaviyo’s answer does not name the profile' };
}

/** What is wrong with the profile itself. An error that is not Klaviyo's own words stays an error. */
function refusalOf(profile: Profile, error: VendorError): RecordResult | undefined {
  const said = error.code === 'INVALID' || error.code === 'CONFLICT' || error.code === 'TOO_LARGE' ? errorIn(error.vendorSaid) : undefined;
  if (!said) return undefined;
  return { key: emailKey(profile.email), status: 'rejected', ...explain(said, masking(profile)), vendorSaid: error.vendorSaid as Json };
}
