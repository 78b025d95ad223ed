import { z } from 'zod';
import { emailKey } from '../../email-key';
import type { Json } from '../../../schemas/json';
import type { MaskOptions } from '../../mask';

const text = z.string().nullable();

/** A profile to write, as every operation takes it. What is left out keeps its value; `null` clears it. */
export const profileInput = z.object({
  email: z.email().describe('Key of the profile; written in lower case'),
  attributes: z
    .partialRecord(z.enum(['first_name', 'last_name', 'organization', 'title', 'phone_number', 'external_id', 'image', 'locale']), text)
    .optional()
    .describe('Klaviyo’s own fields. `phone_number` (E.164) and `external_id` identify a profile too: one that another profile has is a conflict'),
  location: z.partialRecord(z.enum(['address1', 'address2', 'city', 'region', 'zip', 'country', 'timezone', 'latitude', 'longitude', 'ip']), text).optional(),
  properties: z.record(z.string().min(1), z.json()).optional().describe('Custom properties, merged with those the profile has'),
});

export type Profile = z.output<typeof profileInput>;

/** `first_name`, `location.city`, `properties.tier`: what a newer version may supersede. */
export function fieldsOf(profile: Profile): string[] {
  return groups.flatMap((group) => Object.keys(profile[group] ?? {}).map((name) => fieldName(group, name)));
}

/** The profile without `left`; null when nothing is left to write. */
export function withoutFields(profile: Profile, left: readonly string[]): Profile | null {
  const rest = (group: Group): object => {
    const kept = Object.entries(profile[group] ?? {}).filter(([name]) => !left.includes(fieldName(group, name)));
    return kept.length === 0 ? {} : { [group]: Object.fromEntries(kept) };
  };
  const remaining = Object.assign({}, ...groups.map(rest)) as Omit<Profile, 'email'>;
  return Object.keys(remaining).length === 0 ? null : { email: profile.email, ...remaining };
}

/** The profile as Klaviyo's endpoints take it. */
export function resourceOf(profile: Profile): Json {
  const { attributes, location, properties } = profile;
  const rest = { ...(location ? { location } : {}), ...(properties ? { properties } : {}) };
  return { type: 'profile', attributes: { email: emailKey(profile.email), ...attributes, ...rest } as Json };
}

/** Everything a refusal of the profile may repeat. */
export function masking(profile: Profile): MaskOptions {
  const values = groups.flatMap((group) => Object.values(profile[group] ?? {}).map((value) => (typeof value === 'string' ? value : JSON.stringify(value))));
  return { fields: groups.flatMap((group) => Object.keys(profile[group] ?? {})), values: [profile.email, emailKey(profile.email), ...values] };
}

const groups = ['attributes', 'location', 'properties'] as const;
type Group = (typeof groups)[number];

function fieldName(group: Group, name: string): string {
  return group === 'attributes' ? name : `${group}.${name}`;
}
