import { accepts, formIn, tokenFor } from '../simulator/login';
import type { SimAnswer, SimRequest, SimRoute } from '../simulator/types';

const refused = (status: number, error: string, description: string): SimAnswer => ({ status, body: { error, error_description: description } });

/** Real ones differ each time; these stay, so that a test says when they expire. */
function exchange({ body, config }: SimRequest): SimAnswer {
  const { grant_type: grant, client_id: id = '', client_secret: secret = '', refresh_token: refreshToken = '' } = formIn(body);
  if (grant !== 'refresh_token') return refused(400, 'unsupported_grant_type', `Invalid grant_type: ${grant ?? ''}`);
  if (id === '' || !accepts(config, secret)) return refused(401, 'invalid_client', 'The OAuth client was not found.');
  if (!accepts(config, refreshToken)) return refused(400, 'invalid_grant', 'Token has been expired or revoked.');
  const scope = 'https://www.googleapis.com/auth/datamanager';
  return { status: 200, body: { access_token: tokenFor(config, 'ya29.sim-', id, secret, refreshToken), expires_in: 3599, scope, token_type: 'Bearer' } };
}

/** oauth2.googleapis.com, which in a simulation is at the API's address. */
export const loginRoute: SimRoute = { method: 'POST', path: '/token', open: true, handle: exchange, empty: () => ({ status: 200, body: {} }) };
