import { defineSearchAttributeKey } from '@temporalio/common';

/** Search attributes every run carries. None holds personal data; `SynclineKeys` holds HMACs. */
export const searchAttributes = {
  /** The sync's id. */
  sync: defineSearchAttributeKey('SynclineSync', 'KEYWORD'),
  /** Source account, `<vendor>/<account>`. */
  source: defineSearchAttributeKey('SynclineSource', 'KEYWORD'),
  /** Destination account, `<vendor>/<account>`. */
  account: defineSearchAttributeKey('SynclineAccount', 'KEYWORD'),
  /** HMACs of the record's keys. */
  keys: defineSearchAttributeKey('SynclineKeys', 'KEYWORD_LIST'),
  /** The outcome it ended with. */
  outcome: defineSearchAttributeKey('SynclineOutcome', 'KEYWORD'),
  /** Why it waits, while it does: `breaker`, `budget`, … */
  waiting: defineSearchAttributeKey('SynclineWaiting', 'KEYWORD'),
} as const;
