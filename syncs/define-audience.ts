import type { JobOperation, Operation } from '../connectors/connector';
import type { VendorAccount } from './accounts-api';
import { defineTableSync, type RemovedRecord, type TableSync, type TableSyncOptions } from './define-table-sync';

/** An audience at a vendor: how members come and go. */
export interface AudienceDestination<I> {
  readonly add: Operation<I> | JobOperation<I>;
  readonly remove: Operation<never> | JobOperation<never>;
  /** What `remove` is given of a member that landed. */
  readonly leaves: ((member: RemovedRecord) => unknown) | null;
  readonly account: VendorAccount;
}

/**
 * `to: audience({ add: addToAudience('2384…'), remove: removeFromAudience('2384…') }, { account: ads })`. Operations that name a
 * member otherwise say how: `leaves: ({ key }) => ({ email: key })`.
 */
export function audience<I, R = RemovedRecord>(
  operations: {
    add: Operation<I> | JobOperation<I>;
    remove: Operation<R> | JobOperation<R>;
    leaves?: (member: RemovedRecord) => NoInfer<R>;
  },
  options: { account: VendorAccount },
): AudienceDestination<I> {
  const { add, remove, leaves = null } = operations;
  return { add, remove: remove as unknown as Operation, leaves, account: options.account };
}

/** An audience push as its author writes it. */
export interface AudienceOptions<T, I> extends Omit<TableSyncOptions<T, I>, 'to' | 'onRemove' | 'overlap'> {
  to: AudienceDestination<I>;
  /** Boolean column of the source: nobody is a member without it. Rows listed in `syncline.suppression` are none either. */
  consent: string;
}

/**
 * Declares an audience push: the rows of the source that consented are the members, nobody else. A table sync whose removals go
 * before its additions, and whose members are asked for their consent whenever they are read: at the diff, at send, at each try.
 */
export function defineAudience<T, I>({ to, consent, ...options }: AudienceOptions<T, I>): TableSync {
  if (consent === '') throw new Error(`defineAudience: ${options.id} names no column of consent; expected a boolean column of the source`);
  const removal = { onRemove: 'remove' as const, operation: to.remove, ...(to.leaves ? { write: to.leaves } : {}) };
  const sync = defineTableSync<T, I>({ ...options, to: { operation: to.add as Operation<I>, account: to.account } });
  return { ...sync, source: { ...sync.source, consent }, removal, membership: true };
}
