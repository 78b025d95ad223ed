import { defineConnector } from '../connector';
import { errorFrom } from './errors';
import { limitReadings, limits, plans } from './limits';

/** Version of the Graph API that is spoken; Meta keeps each for two years, those of the Marketing API for less. */
export const version = 'v25.0';

/** Meta's Marketing API, with the token of a system user of one business. Facts, sources and dates: README.md beside this file. */
export const meta = defineConnector({
  vendor: 'meta',
  baseUrl: 'https://graph.facebook.com',
  credentials: ['accessToken'],
  plans,
  limits,
  // In a header: as a parameter it would stand in addresses, and those in logs.
  auth: ({ accessToken }) => ({ authorization: `Bearer ${accessToken ?? ''}` }),
  errorFrom,
  limitReadings: ({ headers }) => limitReadings(headers),
});
