import { defineConnector } from '../connector';
import { errorFrom } from './errors';
import { limitReadings, limits, plans } from './limits';

/**
 * HubSpot CRM, as a private app (or service key) of one account. Facts, sources and dates: README.md beside this file.
 */
export const hubspot = defineConnector({
  vendor: 'hubspot',
  baseUrl: 'https://api.hubapi.com',
  credentials: ['token'],
  plans,
  limits,
  auth: ({ token }) => ({ authorization: `Bearer ${token ?? ''}` }),
  errorFrom,
  limitReadings: (response) => limitReadings(response.headers),
});
