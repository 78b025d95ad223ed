import type { Inbox, NewInboxEvent, Receipt } from '../../ledger/port';

/** The door of an inbox in memory, for tests of webhook handlers. */
export interface FakeInbox extends Pick<Inbox, 'receive' | 'countAtDoor'> {
  /** Committed rows, by workflow id. */
  readonly rows: ReadonlyMap<string, NewInboxEvent>;
  /** Events counted at the door, by `<syncId or *> <source>/<account> <reason>`. */
  readonly door: ReadonlyMap<string, number>;
  /** The next redelivery of this run's event re-arms it, as after a failed run. */
  failed(workflowId: string): void;
  /** Each call waits for this before it does anything; a rejection is the call's. */
  before: () => Promise<void>;
}

export function createFakeInbox(): FakeInbox {
  const rows = new Map<string, NewInboxEvent>();
  const door = new Map<string, number>();
  const failed = new Set<string>();

  function commit(event: NewInboxEvent): Receipt {
    if (failed.delete(event.workflowId)) return 'rearmed';
    if (rows.has(event.workflowId)) return 'duplicate';
    rows.set(event.workflowId, event);
    return 'new';
  }

  const fake: FakeInbox = {
    rows,
    door,
    failed: (workflowId) => void failed.add(workflowId),
    before: () => Promise.resolve(),
    receive: async (events) => {
      await fake.before();
      return events.map(commit);
    },
    countAtDoor: async ({ syncId, source, account, reason, events }) => {
      await fake.before();
      const name = `${syncId ?? '*'} ${source}/${account} ${reason}`;
      door.set(name, (door.get(name) ?? 0) + events);
    },
  };
  return fake;
}
