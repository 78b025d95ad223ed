import { defineConnector } from '../connector';
import { errorFrom } from './errors';
import { limitReadings, limits, plans, quotas } from './limits';

/** Klaviyo, with a private key of one account. Facts, sources and dates: README.md beside this file. */
export const klaviyo = defineConnector({
  vendor: 'klaviyo',
  baseUrl: 'https://a.klaviyo.com',
  credentials: ['apiKey'],
  plans,
  quotas,
  limits,
  auth: ({ apiKey }) => ({ authorization: `Klaviyo-API-Key ${apiKey ?? ''}` }),
  errorFrom,
  limitReadings: (response) => limitReadings(response.headers),
});
