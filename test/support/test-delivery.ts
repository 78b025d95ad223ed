import { pino } from 'pino';
import { z } from 'zod';
import { defineConnector, defineOperation, type Call, type RecordResult, type VendorResponse } from '../../connectors/connector';
import { VendorError } from '../../connectors/errors';
import type { Gate, Permit } from '../../connectors/permit';
import type { ClaimRequest, ClaimResult, Confirmation, OutcomeRow } from '../../ledger/port';
import { budgetName, lanes, type Lane } from '../../schemas/plan';
import { sampleEvent, samplePlan } from './sample-run';
import { vendorAccount } from '../../syncs/accounts-api';
import type { Sync } from '../../syncs/define-sync';
import type { ActivityDeps, Admission, CallReport } from '../../activities/deps';
import { Deliveries } from '../../activities/delivery/deliveries';
import type { Item, ItemEnd } from '../../activities/delivery/item';

/** A delivery with everything around it faked and watched: gate, fence, health, vendor. */
export class TestDelivery {
  readonly batches: string[][] = [];
  readonly claims: ClaimRequest[][] = [];
  readonly confirmed: Confirmation[] = [];
  readonly rows: OutcomeRow[] = [];
  readonly reports: CallReport[] = [];
  readonly scopesAsked: string[] = [];
  permitsOut = 0;
  permitsGivenBack = 0;
  /** Operations make no request at all: their permit is to be given back. */
  asksNothing = false;
  /** What the vendor does with a batch; by default it accepts. */
  answer: (keys: string[], call: Call) => Promise<RecordResult[]> = async (keys) => keys.map((key) => ({ key, status: 'accepted', vendorId: `id-${key}` }));
  claim: (request: ClaimRequest) => ClaimResult = () => ({ kind: 'claimed', claim: 1, ambiguous: false, dropFields: [] });
  /** What becomes of requests that the vendor's answer makes. */
  further: (patience: AbortSignal | undefined) => Promise<VendorResponse> = async () => ({ status: 200, headers: {}, data: {} });
  claimFails = 0;
  confirmFails = 0;
  admission: Admission = { kind: 'go' };
  openUntil = 0;
  suspects: string[] = [];
  blocked: ActivityDeps['health']['blocked'] = () => null;
  /** Permits that are free; a held-back one is given by `free()`. */
  permits = Infinity;
  /** Who waits for a permit, in the order of asking. */
  readonly waiting: { sync: string; lane: Lane; go: () => void }[] = [];

  readonly operation = defineOperation({
    connector: defineConnector({
      vendor: 'fake',
      baseUrl: 'http://fake',
      credentials: [],
      plans: [],
      limits: () => [],
      auth: () => ({}),
      errorFrom: ({ status }) => new VendorError({ code: 'UNKNOWN', status, message: 'no' }),
      limitReadings: () => [],
    }),
    name: 'things.upsert',
    object: 'thing',
    maxBatch: 100,
    resend: 'safe',
    input: z.object({ key: z.string(), fields: z.record(z.string(), z.string()) }),
    key: (thing) => thing.key,
    fields: (thing) => Object.keys(thing.fields),
    without: (thing, dropped) => {
      const left = Object.entries(thing.fields).filter(([name]) => !dropped.includes(name));
      return left.length === 0 ? null : { ...thing, fields: Object.fromEntries(left) };
    },
    send: async (call, batch) => {
      const keys = batch.map((thing) => thing.key);
      this.batches.push(keys);
      return this.answer(keys, call);
    },
  });

  readonly deps: ActivityDeps = {
    syncs: new Map(
      ['shop-customer-to-crm', 'a', 'b'].map((id) => [
        id,
        { id, to: { operation: this.operation, account: vendorAccount(this.operation.connector, { name: 'main' }) } } as unknown as Sync,
      ]),
    ),
    tables: { syncs: new Map(), warehouse: () => undefined },
    notify: () => undefined,
    ledger: {
      fence: {
        claim: async (requests) => {
          this.claims.push([...requests]);
          if (this.claimFails-- > 0) throw new Error('connection refused');
          return requests.map((request) => this.claim(request));
        },
        confirm: async (confirmations, outcomes) => {
          if (this.confirmFails-- > 0) throw new Error('connection refused');
          this.confirmed.push(...confirmations);
          this.rows.push(...outcomes);
        },
        recordFindings: async () => undefined,
      },
      outcomes: { record: async (rows) => void this.rows.push(...rows), recordLost: async () => undefined },
    },
    gate: this.gate(),
    health: {
      admit: () => this.admission,
      report: (_scopes, end) => void this.reports.push(end),
      openUntil: () => this.openUntil,
      blocked: (scopes, who) => this.blocked(scopes, who),
      suspects: () => this.suspects,
      lastLandedAt: () => 0,
    },
    link: () => ({
      timeoutMs: 10_000,
      call: ({ permit, patience }) => {
        if (!this.asksNothing) permit?.done({ status: 200, headers: {} });
        const request = () => this.further(patience);
        return { request, get: request, post: request, release: () => void (this.asksNothing && permit?.giveBack()) };
      },
    }),
    keyHmac: (key) => `k_${key}`,
    log: pino({ level: 'silent' }),
    now: () => Date.now(),
    random: () => 0.5,
  };

  private readonly deliveries = new Deliveries(this.deps);

  /** Sends one record and resolves with how it left. */
  deliver(key: string, change: Partial<Item> = {}, signal?: AbortSignal): Promise<ItemEnd> {
    return this.deliveries.deliver(
      {
        plan: samplePlan({
          vendor: 'fake',
          operation: 'things.upsert',
          object: 'thing',
          maxBatch: this.operation.maxBatch,
          maxBatchBytes: this.operation.maxBatchBytes,
        }),
        event: sampleEvent({ id: `event-of-${key}` }),
        record: { key, keyHmac: `k_${key}`, version: { at: 1, arrival: 1 }, fields: ['a', 'b'], input: { key, fields: { a: '1', b: '2' } } },
        attempts: [],
        run: { workflowId: `run-of-${key}`, runId: 'r' },
        deadlineMs: Date.now() + 20_000,
        ...change,
      },
      signal,
    );
  }

  /** Frees one permit: for the sync named, else in lane order. */
  free(sync?: string): void {
    const fitting = this.waiting.filter((one) => sync === undefined || one.sync === sync);
    const next = fitting.sort((a, b) => lanes.indexOf(a.lane) - lanes.indexOf(b.lane))[0];
    if (!next) return void this.permits++;
    this.waiting.splice(this.waiting.indexOf(next), 1);
    next.go();
  }

  private gate(): Gate {
    const permit = (): Permit => {
      this.permitsOut++;
      return { scopes: [], done: () => undefined, giveBack: () => void this.permitsGivenBack++ };
    };
    return {
      acquire: async ({ signal, sync, lane, scopes }) => {
        this.scopesAsked.push(...scopes.map(budgetName));
        if (this.permits <= 0) {
          await new Promise<void>((resolve, reject) => {
            const one = { sync, lane, go: resolve };
            this.waiting.push(one);
            signal?.addEventListener('abort', () => {
              if (!this.waiting.includes(one)) return;
              this.waiting.splice(this.waiting.indexOf(one), 1);
              reject(new Error('aborted'));
            });
          });
        } else this.permits--;
        return permit();
      },
      tryAcquire: () => (this.permits-- > 0 ? permit() : null),
      closedForMs: () => (this.permits > 0 ? 0 : 5_000),
    };
  }
}
