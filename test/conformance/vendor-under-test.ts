import type { Connector } from '../../connectors/connector';
import { VendorError } from '../../connectors/errors';
import { createVendorHttp, type CallOptions, type PermittedCall, type VendorHttp, type VendorHttpOptions } from '../../connectors/http';
import { createSimulator, type Simulator } from '../../connectors/simulator';
import type { SimConfigInput } from '../../connectors/simulator/config';
import type { SimulatedVendor } from '../../connectors/simulator/types';
import { countingGate, type CountingGate } from './counting-gate';

/** Only calls that are to run out of time get little of it: on a busy machine any call may take this long. */
const shortMs = 500;

export interface VendorUnderTestOptions extends Pick<VendorHttpOptions, 'scopesOf' | 'onAttempt'> {
  connector: Connector;
  simulated: SimulatedVendor;
  /** A function is asked whenever they are read. */
  credentials: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  /** How the simulator starts. @default no limits */
  config?: SimConfigInput;
  /** On whose behalf calls are made. @default live, no scopes */
  by?: CallOptions;
}

/** A connector before its simulator, over real HTTP. */
export interface VendorUnderTest {
  simulator: Simulator;
  /** Since the test began. */
  readonly gate: CountingGate;
  call(change?: Partial<CallOptions>): PermittedCall;
  /** Loses patience soon: for calls that the simulator leaves without an answer. */
  hasty(change?: Partial<CallOptions>): PermittedCall;
}

/** Starts and stops with the tests of the block it is called in; each test begins logged in, without records, faults and counts. */
export function vendorUnderTest({ connector, simulated, credentials, config, by, ...rest }: VendorUnderTestOptions): VendorUnderTest {
  const simulator = createSimulator(simulated, config ?? { limits: 'unlimited' });
  const owner: CallOptions = by ?? { scopes: [], lane: 'live', sync: 'test' };
  const gate = countingGate();
  let clients: { patient: VendorHttp; hasty: VendorHttp };

  beforeAll(async () => {
    const { url } = await simulator.listen();
    const shared: VendorHttpOptions = {
      connector,
      baseUrl: url,
      credentials: () => Promise.resolve(typeof credentials === 'function' ? credentials() : credentials),
      gate,
      ...rest,
    };
    clients = { patient: createVendorHttp(shared), hasty: createVendorHttp({ ...shared, timeoutMs: shortMs }) };
    // A login comes before the first request, and would be the one that faults strike and that counts hold.
    if (connector.login)
      for (const client of Object.values(clients))
        await client
          .call(owner)
          .get('/')
          .catch(() => undefined);
  });
  beforeEach(() => {
    gate.reset();
    simulator.reset();
  });
  afterAll(async () => {
    clients.patient.close();
    clients.hasty.close();
    await simulator.close();
  });

  return {
    simulator,
    gate,
    call: (change) => clients.patient.call({ ...owner, ...change }),
    hasty: (change) => clients.hasty.call({ ...owner, ...change }),
  };
}

/** The error a call fails with; fails itself when it succeeds, or fails with anything else. */
export async function failing(promise: Promise<unknown>): Promise<VendorError> {
  const error: unknown = await promise.then(
    () => new Error('expected a failure'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(VendorError);
  return error as VendorError;
}
