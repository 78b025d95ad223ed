import { randomUUID } from 'node:crypto';
import type { HttpAttempt } from '../../connectors/http';
import { subjects } from './subjects';
import { failing, vendorUnderTest } from './vendor-under-test';

const withLogin = subjects.flatMap(({ connector, ...rest }) => (connector.login ? [{ connector, login: connector.login, ...rest }] : []));

/** A token nobody was given yet: with it all others expire. */
const unheard = (): string => `token-${randomUUID()}`;

describe.each(withLogin)('$connector.vendor', ({ connector, login, simulated, credentials, once }) => {
  let held = credentials;
  let attempts: HttpAttempt[] = [];
  const { simulator, gate, call } = vendorUnderTest({
    connector,
    simulated,
    credentials: () => held,
    onAttempt: (attempt) => attempts.push(attempt),
  });
  const { method, path } = login.request(credentials);
  const logins = () => simulator.stats().byPath[`${method} ${path}`] ?? 0;
  const secretsOf = (one: Record<string, string>) => Object.values(one);

  beforeEach(() => {
    attempts = [];
    held = credentials;
    simulator.configure({ limits: 'unlimited', tokens: null, secrets: null });
  });
  // A login spends a permit like any request.
  afterEach(() => {
    expect(gate.ends).toHaveLength(simulator.stats().calls);
    expect([gate.open(), gate.endedTwice]).toEqual([0, 0]);
  });

  test('the token expires in the middle: each call comes through, and one of them renews it', async () => {
    await once(call());
    expect(logins()).toBe(0);
    simulator.configure({ tokens: [unheard()] });
    await Promise.all(Array.from({ length: 8 }, () => once(call())));
    await once(call());
    expect(logins()).toBe(1);
    expect(attempts.filter(({ code }) => code === 'AUTH')).toHaveLength(8);
  });

  test.each(connector.credentials.filter((field) => field !== 'clientId'))(
    'a wrong %s is AUTH, told without it; a new one is taken without a restart',
    async (field) => {
      simulator.configure({ tokens: [unheard()], secrets: secretsOf(credentials).filter((secret) => secret !== credentials[field]) });
      const error = await failing(once(call()));
      expect(error).toMatchObject({ code: 'AUTH', retryable: false, ambiguous: false, connection: false });
      expect(logins()).toBe(1);
      const told = JSON.stringify([{ ...error }, error.message, error.stack, error.cause, attempts]);
      for (const secret of secretsOf(credentials)) expect(told).not.toContain(secret);

      held = { ...credentials, [field]: 'a-new-one-0123456789' };
      simulator.configure({ secrets: secretsOf(held) });
      await once(call());
      expect(logins()).toBe(2);
    },
  );

  test('a vendor that repeats all it was given has told nobody', async () => {
    simulator.configure({ tokens: [unheard()] });
    const words = secretsOf(credentials).join(' ');
    const given = login.request(credentials);
    const body = { error: 'invalid_grant', error_description: `${words} ${given.text?.content ?? ''}`, request: { ...given, body: null } };
    simulator.addFault({ kind: 'status', status: 400, match: { path }, body });
    const error = await failing(once(call()));
    const told = JSON.stringify([{ ...error }, error.message, error.stack, attempts]);
    for (const secret of secretsOf(credentials)) for (const spelt of [secret, encodeURIComponent(secret)]) expect(told).not.toContain(spelt);
  });
});
