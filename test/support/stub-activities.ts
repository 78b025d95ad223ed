import type { Activities } from '../../activities';
import { accepted, sampleRecord } from './sample-run';
import { stubTableActivities } from './sample-table-run';

/** Activities that take every record to `accepted`; a test overrides what it is about. */
export function stubActivities(overrides: Partial<Activities> = {}): Activities {
  return {
    enrich: async () => ({ fallback: false, value: { score: 50 }, tookMs: 5 }),
    prepare: async () => ({ kind: 'ready', record: sampleRecord }),
    deliverNow: async () => ({ kind: 'done', outcome: accepted() }),
    deliver: async () => ({ kind: 'done', outcome: accepted() }),
    recordOutcome: async () => undefined,
    ...stubTableActivities(),
    ...overrides,
  };
}
