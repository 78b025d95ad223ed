import { defineConnector } from '../connector';
import { sessionIn, tokenRequest } from '../oauth';
import { errorFrom } from './errors';
import { limitReadings, limits, plans } from './limits';

/** Version of the REST and Bulk APIs, and of what the simulator imitates. */
export const apiPath = '/services/data/v65.0';

/**
 * Salesforce, one org. Every org has an address of its own, so `…_BASE_URL` is needed: the one here does not resolve
 * (RFC 2606). Facts, sources and dates: README.md beside this file.
 */
export const salesforce = defineConnector({
  vendor: 'salesforce',
  baseUrl: 'https://my-domain.salesforce.invalid',
  credentials: ['clientId', 'clientSecret'],
  plans,
  limits,
  // The answer does not tell how long a session lives: the org's settings say so, and then a 401 does.
  login: {
    request: ({ clientId = '', clientSecret = '' }) =>
      tokenRequest('/services/oauth2/token', { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
    read: sessionIn,
  },
  auth: ({ token }): Record<string, string> => (token === undefined ? {} : { authorization: `Bearer ${token}` }),
  errorFrom,
  limitReadings: (response) => limitReadings(response.headers),
});
