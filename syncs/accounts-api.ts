import type { Connector } from '../connectors/connector';
import type { WebhookSource } from '../connectors/webhook';
import { offPeakProblem, type OffPeak } from '../schemas/off-peak';
import type { BudgetScope } from '../schemas/plan';

/** One webhook endpoint's identity at a provider: whose signing secret, whose events. */
export interface SourceAccount {
  readonly kind: 'source-account';
  readonly source: WebhookSource;
  /** Part of ids and of the webhook path: never renamed. */
  readonly name: string;
  /** Environment variable of the signing secrets (comma list, newest first); `…_FILE` works too. */
  readonly secretVariable: string;
}

/** One set of credentials at a destination vendor. */
export interface VendorAccount {
  readonly kind: 'vendor-account';
  readonly connector: Connector;
  readonly name: string;
  /** One of the connector's plans; decides the limits. */
  readonly plan: string;
  /** Budget scopes a call to this account spends from. @default one scope, named like the account */
  readonly scopes: readonly string[];
  /** When its bulk lanes may send. @default always */
  readonly offPeak?: OffPeak;
}

const variablePart = (text: string): string => text.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');

/** `SYNCLINE_<VENDOR>_<ACCOUNT>_<FIELD>`: the name under which an account's secret or setting is looked up. */
export function accountVariable(vendor: string, account: string, field: string): string {
  return `SYNCLINE_${variablePart(vendor)}_${variablePart(account)}_${variablePart(field.replaceAll(/([a-z])([A-Z])/g, '$1_$2'))}`;
}

/** Declares a source account. Its secret comes from `SYNCLINE_<VENDOR>_<NAME>_WEBHOOK_SECRET`. */
export function sourceAccount(source: WebhookSource, options: { name: string }): SourceAccount {
  return {
    kind: 'source-account',
    source,
    name: options.name,
    secretVariable: accountVariable(source.vendor, options.name, 'webhookSecret'),
  };
}

/** Declares a destination account. Its credentials come from `SYNCLINE_<VENDOR>_<NAME>_<FIELD>`. */
export function vendorAccount(connector: Connector, options: { name: string; plan?: string; scopes?: readonly string[]; offPeak?: OffPeak }): VendorAccount {
  const plan = options.plan ?? connector.plans[0] ?? 'default';
  if (connector.plans.length > 0 && !connector.plans.includes(plan)) {
    throw new Error(`accounts.ts: ${connector.vendor}/${options.name} has plan "${plan}"; ${connector.vendor} knows ${connector.plans.join(', ')}`);
  }
  const { offPeak } = options;
  const problem = offPeak ? offPeakProblem(offPeak) : null;
  if (problem !== null) throw new Error(`accounts.ts: ${connector.vendor}/${options.name}: ${problem}`);
  return { kind: 'vendor-account', connector, name: options.name, plan, scopes: options.scopes ?? [options.name], ...(offPeak ? { offPeak } : {}) };
}

/** What a call to the account spends from: its scopes, each with the quota's name behind it where the vendor counts several (`main.profiles`). */
export function budgetScopes(account: VendorAccount, quota: string | undefined): BudgetScope[] {
  const { vendor } = account.connector;
  return account.scopes.map((scope) => ({ vendor, scope: quota === undefined ? scope : `${scope}.${quota}` }));
}

/** Every budget the account has: one per scope, and per quota of its vendor. */
export function allBudgets(account: VendorAccount): { scope: BudgetScope; quota: string | undefined }[] {
  const quotas = account.connector.quotas ?? [undefined];
  return quotas.flatMap((quota) => budgetScopes(account, quota).map((scope) => ({ scope, quota })));
}
