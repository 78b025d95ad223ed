import { accepts, formIn, tokenFor } from '../simulator/login';
import type { SimAnswer, SimRequest, SimRoute } from '../simulator/types';

const refused = (error: string, description: string): SimAnswer => ({ status: 400, body: { error, error_description: description } });

/** The client credentials flow: a session of the user the app runs as. Nothing tells how long it lives. */
function exchange({ body, config, now }: SimRequest): SimAnswer {
  const { grant_type: grant, client_id: id = '', client_secret: secret = '' } = formIn(body);
  if (grant !== 'client_credentials') return refused('unsupported_grant_type', 'grant type not supported');
  if (id === '') return refused('invalid_client_id', 'client identifier invalid');
  if (!accepts(config, secret)) return refused('invalid_client', 'invalid client credentials');
  const org = '00D000000000001';
  return {
    status: 200,
    body: {
      access_token: tokenFor(config, `${org}!sim.`, id, secret),
      scope: 'api',
      instance_url: 'https://my-domain.salesforce.invalid',
      id: `https://login.salesforce.invalid/id/${org}/005000000000001`,
      token_type: 'Bearer',
      issued_at: String(Math.round(now)),
    },
  };
}

/** At the org's own address, like its API. */
export const loginRoute: SimRoute = { method: 'POST', path: '/services/oauth2/token', open: true, handle: exchange, empty: () => ({ status: 200, body: {} }) };
