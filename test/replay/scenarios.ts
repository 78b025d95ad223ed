import { heartbeat, activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities';
import type { AttemptEnd } from '../../schemas/outcome';
import type { DeliverInput, DeliverResult, RecordSyncInput } from '../../schemas/run';
import { accepted, sampleAttempt, sampleInput, samplePlan } from '../support/sample-run';

/** One way a recordSync run can go; its history is kept in `histories/<name>.json`. */
export interface Scenario {
  name: string;
  input: RecordSyncInput;
  activities: Partial<Activities>;
  /** Cancelled once its first timer runs. */
  cancel?: boolean;
}

const quick = { maxAttempts: 3, initialIntervalMs: 10, maxIntervalMs: 100, expireAfterMs: 3_600_000 };

const failTwice = async (input: DeliverInput): Promise<DeliverResult> => {
  const before = (activityInfo() as { heartbeatDetails?: AttemptEnd[] }).heartbeatDetails ?? input.attempts;
  if (activityInfo().attempt > 1)
    return { kind: 'done', outcome: accepted([...before, sampleAttempt({ number: before.length + 1, status: 200, code: 'OK' })]) };
  const attempts = [...before, sampleAttempt({ number: before.length + 1 })];
  heartbeat(attempts);
  throw ApplicationFailure.create({ type: 'UNAVAILABLE', message: 'the vendor answered 503', details: [{ attempts }] });
};

/** Every branch of the workflow's code, once. */
export const scenarios: Scenario[] = [
  { name: 'accepted-on-fast-path', input: sampleInput(), activities: {} },
  { name: 'skipped', input: sampleInput(), activities: { prepare: async () => ({ kind: 'skipped', reason: 'no e-mail' }) } },
  {
    name: 'invalid',
    input: sampleInput(),
    activities: {
      prepare: async () => ({
        kind: 'invalid',
        code: 'CONTRACT_VIOLATION',
        cause: 'email: expected string, found number',
        violations: [{ field: 'email', expected: 'string', found: 'number' }],
      }),
    },
  },
  {
    name: 'rejected',
    input: sampleInput(),
    activities: {
      deliverNow: async () => ({
        kind: 'done',
        outcome: { outcome: 'rejected', code: 'INVALID_EMAIL', cause: 'refused', attempts: [sampleAttempt({ status: 207 })], resend: 'safe' },
      }),
    },
  },
  {
    name: 'retried-then-accepted',
    input: sampleInput({ plan: samplePlan({ retry: quick }) }),
    activities: { deliverNow: async () => ({ kind: 'retry', waitMs: 100, attempts: [sampleAttempt()] }), deliver: failTwice },
  },
  {
    name: 'attempts-used-up',
    input: sampleInput({ plan: samplePlan({ retry: { ...quick, maxAttempts: 2 } }) }),
    activities: {
      deliverNow: async () => ({ kind: 'retry', waitMs: 1, attempts: [sampleAttempt()] }),
      deliver: async (input) => {
        throw ApplicationFailure.create({
          type: 'UNAVAILABLE',
          message: 'the vendor answered 503',
          details: [{ attempts: [...input.attempts, sampleAttempt({ number: 2 })] }],
        });
      },
    },
  },
  {
    name: 'held-by-breaker-then-accepted',
    input: sampleInput(),
    activities: { deliverNow: async () => ({ kind: 'held', cause: 'breaker', untilMs: Date.now() + 1_500, attempts: [sampleAttempt()] }) },
  },
  {
    name: 'three-breaker-cycles',
    input: sampleInput(),
    activities: {
      deliverNow: async () => ({ kind: 'held', cause: 'budget', untilMs: 0, attempts: [] }),
      deliver: async (input) => ({
        kind: 'held',
        cause: 'breaker',
        untilMs: Date.now() + 1_100,
        attempts: [...input.attempts, sampleAttempt({ number: input.attempts.length + 1 })],
        othersLanded: true,
      }),
    },
  },
  {
    name: 'expired-while-held',
    input: sampleInput({ plan: samplePlan({ retry: { ...quick, expireAfterMs: 500 } }) }),
    activities: { deliverNow: async () => ({ kind: 'held', cause: 'breaker', untilMs: Date.now() + 1_200, attempts: [] }) },
  },
  {
    name: 'enrichment-fell-back',
    input: sampleInput({ plan: samplePlan({ enrich: { name: 'lead score', vendor: 'leadscore', account: 'scoring', timeoutMs: 500 } }) }),
    activities: { enrich: async () => ({ fallback: true, cause: 'leadscore has no budget left now', tookMs: 1 }) },
  },
  {
    name: 'carried-over-continue-as-new',
    input: sampleInput({ carried: { attempts: [sampleAttempt()], cycles: 1, cycleStart: 1, startedAtMs: Date.now() } }),
    activities: {},
  },
  { name: 'replay-lane', input: sampleInput({ plan: samplePlan({ budget: { lane: 'replay' } }), resendEqual: true }), activities: {} },
  {
    name: 'cancelled',
    input: sampleInput(),
    cancel: true,
    activities: { deliverNow: async () => ({ kind: 'held', cause: 'breaker', untilMs: Date.now() + 600_000, attempts: [] }) },
  },
];

/** The one recorded vendorBudget; what happens to it stands in `budget-story.ts`. */
export const budgetHistory = 'vendor-budget';
