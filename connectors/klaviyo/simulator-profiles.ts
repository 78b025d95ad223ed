import type { SimRecord, WriteResult } from '../simulator/records';
import type { SimRequest } from '../simulator/types';
import { objectOf } from './json-api';
import { problem, type Problem } from './simulator-answers';

export const profiles = 'profiles';
const maxBytes = 100 * 1024;
const maxExternalId = 255;

// Klaviyo's checks are not published; these are the least anybody would want.
const validEmail = /^[^\s@,;:<>()[\]\\"]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$/i;
const validPhone = /^\+[1-9]\d{6,14}$/;

/** The address in a profile resource, in lower case; `''` = none. */
export function emailIn(resource: unknown): string {
  const email = objectOf(objectOf(resource)?.['attributes'])?.['email'];
  return typeof email === 'string' ? email.toLowerCase() : '';
}

/** What is wrong with the shape of a profile: refuses the request, or the job, as a whole. */
export function shapeProblem(resource: unknown, at: string): Problem | undefined {
  if (objectOf(resource)?.['type'] !== 'profile') return problem('invalid', "'type' must be 'profile'.", `${at}/type`);
  if (!validEmail.test(emailIn(resource))) return problem('invalid', `${emailIn(resource)} is not a valid email address.`, `${at}/attributes/email`);
  if (JSON.stringify(resource).length > maxBytes) return problem('invalid', 'The profile is larger than 100 KB.', at);
  return undefined;
}

/** What is wrong with its values: refuses this profile alone. The fault `partial` is one of these. */
export function valueProblem(resource: unknown, request: Pick<SimRequest, 'refused'>, at: string): Problem | undefined {
  const attributes = objectOf(objectOf(resource)?.['attributes']) ?? {};
  const told = request.refused.get(emailIn(resource));
  if (told) return problem(told.code, told.message, `${at}/attributes`);
  const { phone_number: phone, external_id: externalId } = attributes;
  if (typeof phone === 'string' && !validPhone.test(phone))
    return problem('invalid', `The phone number ${phone} is not valid.`, `${at}/attributes/phone_number`);
  if (typeof externalId === 'string' && externalId.length > maxExternalId) {
    return problem('invalid', `Ensure this field has no more than ${maxExternalId} characters.`, `${at}/attributes/external_id`);
  }
  return undefined;
}

export function profileProblem(resource: unknown, request: SimRequest, at: string): Problem | undefined {
  return shapeProblem(resource, at) ?? valueProblem(resource, request, at);
}

/** Merges a profile into what there is; `null` clears. Values that are not text are kept as JSON. */
export function store(request: Pick<SimRequest, 'write'>, attributes: Readonly<Record<string, unknown>>): WriteResult {
  const key = String(attributes['email']).toLowerCase();
  const flat = Object.entries(attributes).flatMap(([name, value]) =>
    name === 'location' || name === 'properties'
      ? Object.entries(objectOf(value) ?? {}).map(([inner, one]) => [`${name}.${inner}`, textOf(one)])
      : [[name, textOf(value)]],
  );
  return request.write(profiles, key, { ...(Object.fromEntries(flat) as Record<string, string>), email: key });
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A profile as Klaviyo shows it. */
export function view(record: SimRecord): object {
  const own: Record<string, string | null> = {};
  const groups = { location: {} as Record<string, string | null>, properties: {} as Record<string, string | null> };
  for (const [name, value] of Object.entries(record.properties)) {
    const [group = '', ...inner] = name.split('.');
    if (inner.length > 0 && (group === 'location' || group === 'properties')) groups[group][inner.join('.')] = value || null;
    else own[name] = value || null;
  }
  return {
    type: 'profile',
    id: record.id,
    attributes: { ...own, ...groups, created: record.createdAt, updated: record.updatedAt },
    links: { self: `https://a.klaviyo.com/api/profiles/${record.id}` },
  };
}
