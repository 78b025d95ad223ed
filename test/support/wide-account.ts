import { vendorAccount, type VendorAccount } from '../../syncs/accounts-api';

/** Calls per window, far above what a test or bench makes. */
const outOfReach = 5_000;

/** The account with limits that are out of reach: the gate leases and counts as it always does, and never makes a call wait. */
export function wideAccount({ connector, name, plan, scopes }: VendorAccount): VendorAccount {
  const limits = (of: string | undefined, quota?: string) =>
    connector.limits(of, quota).map((limit) => ({ ...limit, max: limit.kind === 'rolling' ? outOfReach : 1_000_000_000 }));
  return vendorAccount({ ...connector, limits }, { name, plan, scopes });
}
