import type { Call, VendorRequest, VendorResponse } from '../connector';

/** Version of the API this folder speaks; Klaviyo keeps each for two years (developers.klaviyo.com/en/docs/api_versioning_and_deprecation_policy). */
export const revision = '2026-07-15';
export const mediaType = 'application/vnd.api+json';

/** A request as Klaviyo wants it: JSON:API, and of which revision. */
export function ask(call: Call, request: Omit<VendorRequest, 'headers'>): Promise<VendorResponse> {
  const content = request.body === undefined ? {} : { 'content-type': mediaType };
  return call.request({ ...request, headers: { accept: mediaType, revision, ...content } });
}

/** A resource of an answer: only its shape is trusted. */
export interface Resource {
  id?: string;
  attributes: Readonly<Record<string, unknown>>;
}

/** `data` of an answer about one resource; undefined = it is not there. */
export function resourceIn(answer: unknown): Resource | undefined {
  return resource(objectOf(answer)?.['data']);
}

/** `data` of an answer about many; undefined = it is no list. */
export function resourcesIn(answer: unknown): Resource[] | undefined {
  const data = objectOf(answer)?.['data'];
  return Array.isArray(data) ? data.map(resource).filter((one) => one !== undefined) : undefined;
}

/** Where the next page begins, from `links.next`. The link itself is not followed: it may name any host. */
export function cursorIn(answer: unknown): string | undefined {
  const next = objectOf(objectOf(answer)?.['links'])?.['next'];
  return typeof next === 'string' && URL.canParse(next) ? (new URL(next).searchParams.get('page[cursor]') ?? undefined) : undefined;
}

function resource(data: unknown): Resource | undefined {
  const found = objectOf(data);
  if (!found) return undefined;
  const { id } = found;
  return { ...(typeof id === 'string' && id !== '' ? { id } : {}), attributes: objectOf(found['attributes']) ?? {} };
}

/** Undefined for anything but an object. */
export function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}
