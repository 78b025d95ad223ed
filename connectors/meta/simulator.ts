import type { SimAnswer, SimRequest, SimRoute, SimulatedVendor } from '../simulator/types';
import { meta } from './index';
import { hourly, plans } from './limits';
import { keysOf, receive, sessionsOf, sizeWithout } from './simulator-sessions';
import { audienceProblems, failure, said } from './simulator-words';

/** "100 or more of actual facebook members" (grouparoo/grouparoo pull request 1108): Meta itself names no number. */
const fewest = 100;

/**
 * A change of members, unless the audience takes none: `config.properties` may hold `TERMS_NOT_SIGNED`, `UPLOAD_BLOCKED`, and
 * `AUDIENCE_TOO_SMALL`, which refuses removals that leave fewer than 100.
 */
function change(verb: 'add' | 'remove') {
  return audience((request) => {
    const { properties } = request.config;
    const problem = ['TERMS_NOT_SIGNED', 'UPLOAD_BLOCKED'].find((one) => properties.includes(one));
    if (problem !== undefined) return refusal(request, problem);
    if (verb === 'remove' && properties.includes('AUDIENCE_TOO_SMALL') && sizeWithout(request) < fewest) return refusal(request, 'AUDIENCE_TOO_SMALL');
    return receive(request, verb);
  });
}

const refusal = (request: SimRequest, problem: string): SimAnswer => said(400, request.requestId, audienceProblems[problem]!);

/** Every number is an audience of type `CUSTOM`. */
function audience(handle: SimRoute['handle']): SimRoute['handle'] {
  return (request) => {
    const { version = '', audience: id = '' } = request.params;
    return /^v\d{2}\.0$/.test(version) && /^\d+$/.test(id) ? handle(request) : { ...failure(404, request.requestId), status: 400 };
  };
}

const users = '/:version/:audience/users';
const keys: SimRoute['keys'] = ({ body }) => keysOf(body);

/** Tier names as recorded; they are told while the quota is the tier's. */
const tierOf: Readonly<Record<string, string>> = { limited: 'development_access', full: 'standard_access' };

/** Meta's Custom Audiences, simulated: sessions of batches, matched and landed after a while; nobody can list the members. */
export const simulated: SimulatedVendor = {
  vendor: 'meta',
  plans: meta.plans,
  limits: (plan) => meta.limits(plan),
  token: (headers) => /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1] ?? null,
  routes: [
    { method: 'POST', path: users, keys, handle: change('add') },
    { method: 'DELETE', path: users, keys, handle: change('remove') },
    { method: 'GET', path: '/:version/:audience/sessions', handle: audience(sessionsOf) },
  ],
  headers(windows, requestId) {
    const trace = { 'facebook-api-version': 'v25.0', 'x-fb-trace-id': requestId };
    const window = windows.find(({ limit }) => limit.name === hourly);
    if (!window) return trace;
    const { limit, remaining } = window;
    const tier = plans.find((plan) => meta.limits(plan)[0]!.max === limit.max);
    const usage = {
      type: 'custom_audience',
      call_count: Math.ceil(((limit.max - remaining) / limit.max) * 100),
      total_cputime: 1,
      total_time: 1,
      estimated_time_to_regain_access: remaining > 0 ? 0 : minutesOf(limit),
      ...(tier === undefined ? {} : { ads_api_access_tier: tierOf[tier] }),
    };
    return { ...trace, 'x-business-use-case-usage': JSON.stringify({ '542676646349772': [usage] }) };
  },
  // A 400, not a 429, and no Retry-After: the header above tells how long.
  limited: (_limit, requestId) =>
    said(400, requestId, {
      code: 80_003,
      subcode: 2_446_079,
      message: '(#80003) There have been too many calls to this ad-account. Wait a bit and try again.',
    }),
  failure,
};

const minutesOf = (limit: { kind: string; ms?: number }): number => Math.max(1, Math.ceil((limit.ms ?? 0) / 60_000));
