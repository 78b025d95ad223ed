import type { Item } from '../../activities/delivery/item';
import type { SourceEvent } from '../../schemas/event';
import type { AttemptEnd, RecordOutcome } from '../../schemas/outcome';
import type { SyncPlan } from '../../schemas/plan';
import type { PreparedRecord, RecordSyncInput } from '../../schemas/run';
import { compilePlan } from '../../syncs/define-sync';
import shopCustomerToCrm from '../../syncs/shop-customer-to-crm/sync';

/** The plan of a sample sync, with changes. */
export function samplePlan(change: Partial<SyncPlan> = {}): SyncPlan {
  return { ...compilePlan(shopCustomerToCrm), ...change };
}

export function sampleEvent(change: Partial<SourceEvent> = {}): SourceEvent {
  return {
    id: 'customers/update:e-1',
    source: 'shopify',
    account: 'shop',
    topic: 'customers/update',
    receivedAt: '2026-11-22T10:00:00.000Z',
    version: { at: 1_795_341_600_000, arrival: 1_795_341_600_500_000 },
    body: { id: 207119551, email: 'ada@example.com', first_name: 'Ada', last_name: 'Lovelace', updated_at: '2026-11-22T10:00:00Z' },
    ...change,
  };
}

export function sampleInput(change: Partial<RecordSyncInput> = {}): RecordSyncInput {
  return { plan: samplePlan(), event: sampleEvent(), ...change };
}

export const sampleRecord: PreparedRecord = {
  key: 'ada@example.com',
  keyHmac: 'k_sample',
  version: sampleEvent().version,
  fields: ['firstname'],
  input: { email: 'ada@example.com', properties: { firstname: 'Ada' } },
};

export function sampleAttempt(change: Partial<AttemptEnd> = {}): AttemptEnd {
  return {
    number: 1,
    at: '2026-11-22T10:00:01.000Z',
    status: 503,
    code: 'UNAVAILABLE',
    waitMs: 100,
    tookMs: 20,
    batch: 1,
    cause: 'the vendor answered 503',
    ...change,
  };
}

/** A record waiting for its call; `settle` hears how it left. */
export function sampleItem(key: string, plan: SyncPlan, settle: Item['settle']): Item {
  return {
    plan,
    event: sampleEvent({ id: key }),
    record: { key, keyHmac: key, version: { at: 1, arrival: 1 }, fields: [], input: {} },
    attempts: [],
    run: { workflowId: key, runId: 'r' },
    deadlineMs: 1e9,
    notBeforeMs: 0,
    settle,
  };
}

export function accepted(attempts: AttemptEnd[] = [sampleAttempt({ status: 200, code: 'OK', waitMs: 0 })]): RecordOutcome {
  return { outcome: 'accepted', vendorId: '101', attempts, resend: 'safe' };
}
