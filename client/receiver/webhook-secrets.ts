import type { Secrets } from '../../platform/secrets';
import type { SourceAccount } from '../../syncs/accounts-api';

/** A file of secrets is read at most this often; a rotation shows within that time. */
const readEveryMs = 1_000;

/** Signing secrets of source accounts, from their variables or files. Throws `SecretError` for one that is not set. */
export function createWebhookSecrets(secrets: Secrets, clock: () => number = Date.now): (account: SourceAccount) => readonly string[] {
  const known = new Map<string, { values: readonly string[]; at: number }>();
  return ({ secretVariable }) => {
    const now = clock();
    const cached = known.get(secretVariable);
    if (cached && now - cached.at < readEveryMs) return cached.values;
    const values = secrets.list(secretVariable);
    known.set(secretVariable, { values, at: now });
    return values;
  };
}
