import fc from 'fast-check';
import { type Actor, CLAIM_MS, memoryFence, type ModelFence, runSchedule, type Step } from '../test/support/fence-model';
import { createTestLedger, type TestLedger } from '../test/support/ledger';
import { type Ask, decide, type Decision, type FenceState } from './decide';

// Nothing older overwrites something newer, per field, and nothing lands twice unless it was declared ambiguous: whatever
// order runs claim, send, crash, come back and confirm in.

const fieldSets = fc.oneof({ weight: 5, arbitrary: fc.subarray(['a', 'b', 'c'], { minLength: 1 }) }, { weight: 1, arbitrary: fc.constant<string[]>(['*']) });
const actors: fc.Arbitrary<Actor[]> = fc
  .uniqueArray(fc.record({ at: fc.integer({ min: 1, max: 4 }), mapVersion: fc.integer({ min: 1, max: 2 }), fields: fieldSets }), {
    minLength: 2,
    maxLength: 5,
    selector: ({ at, mapVersion }) => `${at}.${mapVersion}`,
  })
  .map((list) => list.map((one) => ({ ...one, workflowId: `run-${one.at}` })));
const pick = fc.nat(20);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('claim' as const), actor: pick }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), call: pick }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('confirm' as const), call: pick }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const), call: pick }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(25_000, 65_000) }) },
  ),
  { minLength: 5, maxLength: 60, size: 'max' },
);

describe('in memory', () => {
  test('any schedule keeps the promises', async () => {
    await fc.assert(
      fc.asyncProperty(actors, steps, async (runs, schedule) => void (await runSchedule(memoryFence(), runs, schedule))),
      { numRuns: 5_000 },
    );
  });

  const bugs: Record<string, (state: FenceState, ask: Ask, nowMs: number) => Decision> = {
    'does not wait for calls under way': (state, ask, now) => decide({ ...state, openCalls: state.openCalls.filter((call) => call.untilMs <= now) }, ask, now),
    'forgets calls of the same run': (state, ask, now) =>
      decide({ ...state, openCalls: state.openCalls.filter((call) => call.workflowId !== ask.workflowId) }, ask, now),
    'keeps only the latest call': (state, ask, now) => {
      const decision = decide(state, ask, now);
      return decision.kind === 'claim' ? { ...decision, keep: [] } : decision;
    },
    'lets an older version overtake an expired newer one': (state, ask, now) =>
      decide({ ...state, openCalls: state.openCalls.filter((call) => call.untilMs > now || call.order[0] <= ask.version.at) }, ask, now),
    'sends fields of which a newer version landed': (state, ask, now) => {
      const decision = decide(state, ask, now);
      return decision.kind === 'claim' ? { ...decision, dropFields: [] } : decision;
    },
    'supersedes by a version that has not landed': (state, ask, now) =>
      state.openCalls.some((call) => call.order[0] > ask.version.at) ? { kind: 'superseded' } : decide(state, ask, now),
    'forgets fields that the latest version did not write': (state, ask, now) => decide({ ...state, olderFields: {} }, ask, now),
    'never says ambiguous': (state, ask, now) => {
      const decision = decide(state, ask, now);
      return decision.kind === 'claim' ? { ...decision, ambiguous: false } : decision;
    },
    'sends what landed again': (state, ask, now) => decide(state, { ...ask, resendEqual: true }, now),
  };

  test.each(Object.keys(bugs))('the property catches a fence that %s', async (name) => {
    const broken = fc.asyncProperty(actors, steps, async (runs, schedule) => void (await runSchedule(memoryFence(bugs[name]), runs, schedule)));
    expect((await fc.check(broken, { numRuns: 20_000, endOnFailure: true })).failed).toBe(true);
  });
});

describe('on PostgreSQL', () => {
  let ledger: TestLedger;
  beforeAll(async () => (ledger = await createTestLedger()));
  afterAll(() => ledger.drop());

  let records = 0;
  function databaseFence(): ModelFence {
    const place = { syncId: 's', vendor: 'v', account: 'a', object: 'o', keyHmac: `record-${++records}` };
    return {
      async claim(ask) {
        const [result] = await ledger.ledger.fence.claim([{ ...place, ...ask }], { claimMs: CLAIM_MS });
        return result!;
      },
      confirm: (ask, claim, landed) => ledger.ledger.fence.confirm([{ ...place, ...ask, claim, landed }], []),
      // Nobody waits: what is stored moves into the past.
      async advance(ms) {
        await ledger.pool.query(
          `update syncline.fence set open_calls = (select jsonb_agg(c || jsonb_build_object('untilMs', (c ->> 'untilMs')::float8 - $2) order by p)
             from jsonb_array_elements(open_calls) with ordinality as t(c, p)) where key_hmac = $1 and open_calls <> '[]'`,
          [place.keyHmac, ms],
        );
      },
    };
  }

  test('any schedule keeps the promises, and is answered as in memory', async () => {
    const bare = ({ kind, ...rest }: Record<string, unknown>) => (kind === 'claimed' ? { kind, ...rest } : { kind });
    await fc.assert(
      fc.asyncProperty(actors, steps, async (runs, schedule) => {
        const stored = await runSchedule(databaseFence(), runs, schedule);
        const modelled = await runSchedule(memoryFence(), runs, schedule);
        expect(stored.map(bare)).toEqual(modelled.map(bare));
      }),
      { numRuns: 100 },
    );
  });
});
