import type { Sync } from '../../syncs/define-sync';
import type { SourceAccount } from '../../syncs/accounts-api';
import { Refusal } from './answers';

/** Where a delivery was sent: to one sync, or to all syncs of a source account. */
export type Route = { syncId: string } | { source: string; account: string };

/** Who takes the deliveries of a route. */
export interface Target {
  account: SourceAccount;
  /** The one sync of the path; null for a source account's path. */
  syncId: string | null;
  /** By topic. */
  wanted: ReadonlyMap<string, readonly Sync[]>;
}

/** Finds the target of a route. Throws a `Refusal` for an unknown one. */
export type FindTarget = (route: Route | null) => Target;

/** `/webhooks/<syncId>` or `/webhooks/<source>/<account>`, at the end of a path; null for any other. */
export function routeOf(path: string): Route | null {
  const match = /\/webhooks\/([^/]+)(?:\/([^/]+))?\/?$/.exec(path.split(/[?#]/, 1)[0] ?? '');
  const first = decoded(match?.[1]);
  if (first === null) return null;
  if (match?.[2] === undefined) return { syncId: first };
  const account = decoded(match[2]);
  return account === null ? null : { source: first, account };
}

function decoded(part: string | undefined): string | null {
  try {
    return part === undefined ? null : decodeURIComponent(part);
  } catch {
    return null;
  }
}

const listThem = 'send to /webhooks/<syncId> or /webhooks/<source>/<account>, as declared in syncs/';

/** Indexes the syncs, once. */
export function createRoutes(syncs: readonly Sync[]): FindTarget {
  const bySync = new Map<string, Target>();
  const byAccount = new Map<string, Sync[]>();
  for (const sync of syncs) {
    if (bySync.has(sync.id)) throw new Error(`createReceiver: two syncs have the id "${sync.id}"`);
    const { account } = sync.on;
    bySync.set(sync.id, { account, syncId: sync.id, wanted: byTopic([sync]) });
    const name = accountName(account.source.vendor, account.name);
    byAccount.set(name, [...(byAccount.get(name) ?? []), sync]);
  }
  const targets = new Map<string, Target>();
  for (const [name, list] of byAccount) {
    const [first] = list;
    if (first) targets.set(name, { account: first.on.account, syncId: null, wanted: byTopic(list) });
  }
  return (route) => {
    if (route === null) throw new Refusal('UNKNOWN_PATH', 'there is no webhook at this path', listThem);
    if ('syncId' in route) {
      const target = bySync.get(route.syncId);
      if (!target) throw new Refusal('UNKNOWN_SYNC', 'no sync has the id in this path', listThem);
      return target;
    }
    const target = targets.get(accountName(route.source, route.account));
    if (!target) throw new Refusal('UNKNOWN_SOURCE', 'no sync takes events of the source account in this path', listThem);
    return target;
  };
}

/** Neither part may hold a line break once it was declared, so that no two pairs share a name. */
function accountName(vendor: string, account: string): string {
  return `${vendor}\n${account}`;
}

function byTopic(syncs: readonly Sync[]): Map<string, Sync[]> {
  const wanted = new Map<string, Sync[]>();
  for (const sync of syncs) {
    for (const topic of new Set(sync.on.topics)) wanted.set(topic, [...(wanted.get(topic) ?? []), sync]);
  }
  return wanted;
}
