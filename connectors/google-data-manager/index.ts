import { defineConnector } from '../connector';
import { errorFrom } from './errors';
import { limits, plans, quotas } from './limits';

/**
 * Google's Data Manager API: members of Customer Match lists, for Google Ads and Display & Video 360. Facts, sources and dates:
 * README.md beside this file.
 */
export const googleDataManager = defineConnector({
  vendor: 'google-data-manager',
  baseUrl: 'https://datamanager.googleapis.com',
  // No `login`: a refresh token is exchanged at another host (oauth2.googleapis.com), which a connector does not reach.
  credentials: ['accessToken'],
  plans,
  quotas,
  limits,
  auth: ({ accessToken }) => ({ authorization: `Bearer ${accessToken ?? ''}` }),
  errorFrom,
  // Google tells nothing of what is left, in no header.
  limitReadings: () => [],
});
