import { countingGate } from '../test/conformance/counting-gate';
import { googleDataManager } from './google-data-manager';
import { simulated } from './google-data-manager/simulator';
import { createVendorHttp } from './http';
import { createSimulator } from './simulator';

const servers = { api: createSimulator(simulated), login: createSimulator(simulated), own: createSimulator(simulated) };
let urls: Record<keyof typeof servers, string>;
beforeAll(async () => {
  const [api, login, own] = await Promise.all(Object.values(servers).map((one) => one.listen()));
  urls = { api: api!.url, login: login!.url, own: own!.url };
});
beforeEach(() => Object.values(servers).forEach((one) => one.reset()));
afterAll(() => Promise.all(Object.values(servers).map((one) => one.close())));

/** Requests of one look at a job, by who saw them. */
async function seen(baseUrl: string): Promise<Record<string, number>[]> {
  const connector = { ...googleDataManager, baseUrl: urls.api, login: { ...googleDataManager.login!, baseUrl: `${urls.login}/` } };
  const gate = countingGate();
  const credentials = () => Promise.resolve({ clientId: 'client', clientSecret: 'secret', refreshToken: 'refresh' });
  const http = createVendorHttp({ connector, baseUrl, credentials, gate });
  await http
    .call({ scopes: [], lane: 'live', sync: 'test' })
    .get('/v1/requestStatus:retrieve')
    .catch(() => undefined);
  http.close();
  expect([gate.ends.length, gate.open()]).toEqual([2, 0]);
  return Object.values(servers).map((one) => one.stats().byPath);
}

const login = { 'POST /token': 1 };
const look = { 'GET /v1/requestStatus::retrieve': 1 };

test('a login may have a host of its own', async () => {
  expect(await seen(urls.api)).toEqual([look, login, {}]);
  expect(await seen(`${urls.api}/`)).toEqual([{ 'GET /v1/requestStatus::retrieve': 2 }, { 'POST /token': 2 }, {}]);
});

test('an account with an address of its own logs in there: nothing of it goes anywhere else', async () => {
  expect(await seen(urls.own)).toEqual([{}, {}, { ...login, ...look }]);
});

test('Google’s', () => {
  expect([googleDataManager.baseUrl, googleDataManager.login?.baseUrl]).toEqual(['https://datamanager.googleapis.com', 'https://oauth2.googleapis.com']);
});
