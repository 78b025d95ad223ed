import { defineConnector } from '../connector';
import { sessionIn } from '../oauth';
import { errorFrom, failureIn } from './errors';
import { limits, plans } from './limits';

/**
 * Marketo Engage, one subscription. Each has an address of its own (`https://<munchkin>.mktorest.com`), so `…_BASE_URL` is
 * needed: the one here does not resolve (RFC 2606). Facts, sources and dates: README.md beside this file.
 */
export const marketo = defineConnector({
  vendor: 'marketo',
  baseUrl: 'https://munchkin.marketo.invalid',
  credentials: ['clientId', 'clientSecret'],
  plans,
  limits,
  // The only form documented; `http.ts` shows no query to anybody. Marketo answers with the same token until it expires.
  login: {
    request: ({ clientId = '', clientSecret = '' }) => ({
      method: 'GET',
      path: '/identity/oauth/token',
      query: { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret },
    }),
    read: sessionIn,
  },
  auth: ({ token: session }): Record<string, string> => (session === undefined ? {} : { authorization: `Bearer ${session}` }),
  errorFrom,
  failureIn,
  // Marketo sends none: `GET /rest/v1/stats/usage.json` would tell, and cost a call.
  limitReadings: () => [],
});
