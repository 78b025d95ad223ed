import { defineConnector } from '../connector';
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
  credentials: ['token'],
  plans,
  limits,
  auth: ({ token }) => ({ authorization: `Bearer ${token ?? ''}` }),
  errorFrom,
  limitReadings: (response) => limitReadings(response.headers),
});
