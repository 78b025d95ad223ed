import { defineConnector } from '../connector';
import { sessionIn, tokenRequest } from '../oauth';
import { errorFrom } from './errors';
import { limits, plans, quotas } from './limits';

/**
 * Google's Data Manager API: members of Customer Match lists, for Google Ads and Display & Video 360. Facts, sources and dates:
 * README.md beside this file.
 */
export const googleDataManager = defineConnector({
  vendor: 'google-data-manager',
  baseUrl: 'https://datamanager.googleapis.com',
  credentials: ['clientId', 'clientSecret', 'refreshToken'],
  plans,
  quotas,
  limits,
  // An access token lives an hour. Google tells so in `expires_in`; its 401 tells so by anybody's clock.
  login: {
    baseUrl: 'https://oauth2.googleapis.com',
    request: ({ clientId = '', clientSecret = '', refreshToken = '' }) =>
      tokenRequest('/token', { grant_type: 'refresh_token', client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken }),
    read: sessionIn,
  },
  auth: ({ token }): Record<string, string> => (token === undefined ? {} : { authorization: `Bearer ${token}` }),
  errorFrom,
  // Google tells nothing of what is left, in no header.
  limitReadings: () => [],
});
