import type { SimAnswer, SimRoute } from '../simulator/types';

/** Something Klaviyo finds wrong: one of `errors`, or an import error. */
export interface Problem {
  code: string;
  title: string;
  detail: string;
  source: { pointer: string } | { parameter: string };
}

const titles: Readonly<Record<string, string>> = { invalid: 'Invalid input.', not_found: 'Not found.' };

export function problem(code: string, detail: string, where: string): Problem {
  return { code, title: titles[code] ?? 'Invalid input.', detail, source: where.startsWith('/') ? { pointer: where } : { parameter: where } };
}

/** A JSON:API error body, as recorded in klaviyo/klaviyo-api-node issue 66 and klaviyo/klaviyo-api-python issue 15. */
export function refused(status: number, requestId: string, { code, title, detail, source }: Problem, meta: object = {}): SimAnswer {
  return { status, body: { errors: [{ id: requestId, status, code, title, detail, source, links: {}, meta }] } };
}

// Code and title by status. Recorded: 429, 409, 400; the others by the words of Klaviyo's guide.
const said: Readonly<Record<number, [code: string, title: string]>> = {
  400: ['invalid', 'Invalid input.'],
  401: ['not_authenticated', 'Authentication credentials were not provided.'],
  403: ['permission_denied', 'You do not have permission to perform this action.'],
  404: ['not_found', 'Not found.'],
  405: ['method_not_allowed', 'Method not allowed.'],
  409: ['duplicate_profile', 'Conflict.'],
  413: ['payload_too_large', 'Payload too large.'],
  415: ['unsupported_media_type', 'Unsupported media type.'],
  429: ['throttled', 'Request was throttled.'],
};

/** The documented body of an error status. */
export function failure(status: number, requestId: string, detail?: string): SimAnswer {
  const [code, title] = said[status] ?? (status >= 500 ? ['error', 'A server error occurred.'] : ['invalid', 'Invalid input.']);
  const meta = status === 409 ? { duplicate_profile_id: '01GDDKASAP8TKDDA2GRZDSVP4H' } : {};
  return refused(status, requestId, { code, title, detail: detail ?? title, source: { pointer: '/data/' } }, meta);
}

/** Every request says which revision of the API it speaks. */
export function versioned(handle: SimRoute['handle']): SimRoute['handle'] {
  return (request) => {
    if (/^\d{4}-\d{2}-\d{2}(\.\w+)?$/.test(request.headers['revision'] ?? '')) return handle(request);
    return refused(400, request.requestId, problem('invalid', 'The revision header is missing or not a date.', 'revision'));
  };
}
