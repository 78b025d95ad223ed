import { existsSync } from 'node:fs';
import path from 'node:path';
import { vendorAccounts, type Spender } from '../../syncs/define-sync';

/** A destination vendor of the syncs, and how its simulator is started. */
export interface SimulatorSpec {
  vendor: string;
  args: string[];
}

/** HubSpot properties that the samples and the docs' examples write beyond the default ones: one would create them in the portal's settings. */
const customProperties = ['customer_plan', 'last_order_name', 'last_order_total', 'last_order_date', 'stripe_customer_id', 'billing_delinquent', 'lead_score'];

const extraArgs: Readonly<Record<string, readonly string[]>> = {
  hubspot: customProperties.flatMap((name) => ['--property', name]),
};

/** One simulator per destination vendor that has one. */
export function simulatorsFor(syncs: readonly Pick<Spender, 'to' | 'enrich'>[]): SimulatorSpec[] {
  const accounts = new Map(vendorAccounts(syncs).map((account) => [account.connector.vendor, account]));
  return [...accounts.values()]
    .filter(({ connector }) => hasSimulator(connector.vendor))
    .map(({ connector: { vendor }, plan }) => ({ vendor, args: ['--vendor', vendor, '--plan', plan, ...(extraArgs[vendor] ?? [])] }));
}

function hasSimulator(vendor: string): boolean {
  const file = path.resolve(__dirname, '..', '..', 'connectors', vendor, 'simulator');
  return existsSync(`${file}.ts`) || existsSync(`${file}.js`);
}

/** A record as a simulator shows it. */
export interface SimulatedRecord {
  key: string;
  properties: Record<string, string>;
  version: number;
}

/** Remote control of a running simulator. */
export interface SimulatorControl {
  readonly url: string;
  /** Arms faults; each as `connectors/simulator/faults.ts` describes it. */
  arm(faults: readonly object[]): Promise<void>;
  records(): Promise<SimulatedRecord[]>;
}

export function simulatorControl(url: string): SimulatorControl {
  const call = async (method: string, what: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}/_sim/${what}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`The simulator at ${url} answered ${response.status} to ${method} ${what}: ${await response.text()}`);
    return response.json();
  };
  return {
    url,
    arm: async (faults) => void (await call('POST', 'faults', faults)),
    records: () => call('GET', 'records') as Promise<SimulatedRecord[]>,
  };
}
