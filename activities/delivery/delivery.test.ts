import { NoPermitInTime, VendorError, type VendorErrorFacts } from '../../connectors/errors';
import { sampleAttempt } from '../../test/support/sample-run';
import { batchCap } from './item';
import { TestDelivery } from '../../test/support/test-delivery';
import { samplePlan } from '../../test/support/sample-run';

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `r${index}`);
const failing = (facts: Partial<VendorErrorFacts>) => async () => {
  throw new VendorError({ code: 'UNAVAILABLE', status: 503, message: 'the vendor answered 503', ...facts });
};
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('coalescing', () => {
  test('records that wait for one permit share one call, up to the vendor’s batch', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    const ends = names(250).map((key) => delivery.deliver(key));
    for (let call = 0; call < 3; call++) {
      await settle();
      delivery.free();
    }
    expect((await Promise.all(ends)).every((end) => end.kind === 'done')).toBe(true);
    expect(delivery.batches.map((batch) => batch.length)).toEqual([100, 100, 50]);
    expect(delivery.claims).toHaveLength(3);
  });

  test('never two of one key in a call, nor in two calls at once; their order is kept', async () => {
    const delivery = new TestDelivery();
    let inCall = 0;
    let most = 0;
    delivery.answer = async (keys) => {
      most = Math.max(most, ++inCall);
      await settle();
      inCall--;
      return keys.map((key) => ({ key, status: 'accepted' }));
    };
    await Promise.all([1, 2, 3].map((at) => delivery.deliver('same', { run: { workflowId: `run-${at}`, runId: 'r' } })));
    expect(delivery.batches).toEqual([['same'], ['same'], ['same']]);
    expect(most).toBe(1);
    expect(delivery.claims.flat().map((claim) => claim.workflowId)).toEqual(['run-1', 'run-2', 'run-3']);
  });

  test('lanes: live first', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    const plan = (lane: 'live' | 'replay') =>
      samplePlan({ vendor: 'fake', operation: 'things.upsert', object: 'thing', maxBatch: 1, maxBatchBytes: 1_000, budget: { lane } });
    const ends = [delivery.deliver('bulk', { plan: plan('replay') }), delivery.deliver('live', { plan: plan('live') })];
    await settle();
    delivery.free();
    await settle();
    delivery.free();
    await Promise.all(ends);
    expect(delivery.batches).toEqual([['live'], ['bulk']]);
  });

  test('a batch stays within the vendor’s bytes', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    const big = (key: string) => ({
      key,
      keyHmac: `k_${key}`,
      version: { at: 1, arrival: 1 },
      fields: ['a'],
      input: { key, fields: { a: 'x'.repeat(400_000) } },
    });
    const ends = ['a', 'b', 'c'].map((key) => delivery.deliver(key, { record: big(key) }));
    await settle();
    delivery.free();
    await settle();
    delivery.free();
    await Promise.all(ends);
    expect(delivery.batches.map((batch) => batch.length)).toEqual([2, 1]);
  });
});

describe('what was not sent uses nothing', () => {
  test('no permit by the deadline: unsent, with the time the gate expects to open', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    const end = await delivery.deliver('a', { deadlineMs: Date.now() + 30 });
    expect(end).toMatchObject({ kind: 'unsent', cause: 'budget' });
    expect(end.kind === 'unsent' && end.untilMs - Date.now()).toBeGreaterThan(4_000);
    // Nobody is left to ask for: the next permit is somebody else's.
    await settle();
    expect(delivery.waiting).toEqual([]);
    expect(delivery.permitsOut).toBe(0);
    expect(delivery.batches).toEqual([]);
  });

  test('cancelled before it was sent: out of the queue; after: it finishes', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    const abort = new AbortController();
    const waiting = delivery.deliver('a', {}, abort.signal);
    abort.abort();
    expect(await waiting).toMatchObject({ kind: 'unsent', cause: 'shutdown' });

    const late = new AbortController();
    delivery.permits = 1;
    delivery.answer = async ([key]) => {
      late.abort();
      await settle();
      return [{ key: key ?? '', status: 'accepted' }];
    };
    expect(await delivery.deliver('b', {}, late.signal)).toMatchObject({ kind: 'done' });
  });

  test('breaker open: held until it may try, the permit given back', async () => {
    const delivery = new TestDelivery();
    delivery.admission = { kind: 'shut', untilMs: 12_345 };
    expect(await delivery.deliver('a')).toEqual({ kind: 'unsent', cause: 'breaker', untilMs: 12_345 });
    expect(delivery.permitsGivenBack).toBe(1);
  });

  test('a probe is one record', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    delivery.admission = { kind: 'probe' };
    const ends = names(5).map((key) => delivery.deliver(key, { deadlineMs: Date.now() + 200 }));
    await settle();
    delivery.free();
    await Promise.all(ends);
    expect(delivery.batches).toEqual([['r0']]);
  });

  test('the ledger is away at the claim: nothing is sent, delivery waits', async () => {
    const delivery = new TestDelivery();
    delivery.claimFails = 1;
    expect(await delivery.deliver('a')).toMatchObject({ kind: 'unsent', cause: 'ledger' });
    expect(delivery.batches).toEqual([]);
    expect(delivery.permitsGivenBack).toBe(1);
  });
});

describe('a call of several requests', () => {
  const claimedLate = (delivery: TestDelivery): void => {
    // So much of the claim has passed that little is left for the wait.
    let passed = 0;
    delivery.deps.now = () => Date.now() + passed;
    delivery.claim = () => {
      passed = 4_900;
      return { kind: 'claimed', claim: 1, ambiguous: false, dropFields: [] };
    };
  };

  test('no permit for a further one while the claim holds: unsent, the claim given up, no attempt used', async () => {
    const delivery = new TestDelivery();
    claimedLate(delivery);
    delivery.answer = async (_keys, call) => {
      await call.get('/lookup');
      throw new Error('not reached');
    };
    const scopes = [{ vendor: 'fake', scope: 'main.lists' }];
    delivery.further = (patience) =>
      new Promise((_, reject) => patience!.addEventListener('abort', () => reject(new NoPermitInTime('fake', scopes, false)), { once: true }));
    expect(await delivery.deliver('a')).toMatchObject({ kind: 'unsent', cause: 'budget' });
    expect(delivery.confirmed).toMatchObject([{ landed: false }]);
    expect(delivery.reports).toEqual([{ answered: [], failed: [], connection: false }]);
  });

  test('after one that may have written something: failed, ambiguous, the claim is kept', async () => {
    const delivery = new TestDelivery();
    delivery.answer = async () => {
      throw new NoPermitInTime('fake', [], true);
    };
    expect(await delivery.deliver('a')).toMatchObject({ kind: 'failed', attempt: { code: 'RATE_LIMITED', ambiguous: true } });
    expect(delivery.confirmed).toEqual([]);
  });
});

describe('fence', () => {
  test('superseded and landed end without a call, booked', async () => {
    const delivery = new TestDelivery();
    delivery.claim = ({ keyHmac }) => (keyHmac === 'k_old' ? { kind: 'superseded' } : { kind: 'landed', vendorId: '7' });
    expect(await delivery.deliver('old')).toMatchObject({ kind: 'done', outcome: { outcome: 'superseded', attempts: [] } });
    expect(await delivery.deliver('again')).toMatchObject({ kind: 'done', outcome: { outcome: 'accepted', code: 'LANDED_BEFORE', vendorId: '7' } });
    expect(delivery.batches).toEqual([]);
    expect(delivery.rows.map((row) => row.outcome)).toEqual(['superseded', 'accepted']);
    await settle();
    expect(delivery.permitsGivenBack).toBe(2);
  });

  test('fields a newer version landed are left out of the call and of the confirmation', async () => {
    const delivery = new TestDelivery();
    let sent: unknown;
    const send = delivery.operation.send.bind(delivery.operation);
    jest.spyOn(delivery.operation, 'send').mockImplementation((call, batch) => {
      sent = batch[0];
      return send(call, batch);
    });
    delivery.claim = () => ({ kind: 'claimed', claim: 4, ambiguous: false, dropFields: ['a'] });
    await delivery.deliver('x');
    expect(sent).toEqual({ key: 'x', fields: { b: '2' } });
    expect(delivery.confirmed).toMatchObject([{ claim: 4, fields: ['b'], landed: true }]);
  });

  test('another run’s claim: asked again until it is free', async () => {
    const delivery = new TestDelivery();
    let asked = 0;
    delivery.claim = () => (++asked < 3 ? { kind: 'wait', untilMs: Date.now() + 30 } : { kind: 'claimed', claim: 1, ambiguous: true, dropFields: [] });
    expect(await delivery.deliver('a')).toMatchObject({ kind: 'done', outcome: { outcome: 'accepted' } });
    expect(asked).toBe(3);
  });

  test('a claim that stays taken past the deadline: held with cause claim', async () => {
    const delivery = new TestDelivery();
    delivery.claim = () => ({ kind: 'wait', untilMs: Date.now() + 60_000 });
    expect(await delivery.deliver('a', { deadlineMs: Date.now() + 100 })).toMatchObject({ kind: 'unsent', cause: 'claim' });
    expect(delivery.batches).toEqual([]);
  });

  test('the ledger is away at the confirm: only the confirm is repeated', async () => {
    const delivery = new TestDelivery();
    delivery.confirmFails = 2;
    expect(await delivery.deliver('a')).toMatchObject({ kind: 'done' });
    expect(delivery.batches).toHaveLength(1);
    expect(delivery.confirmed).toHaveLength(1);
  });
});

describe('answers', () => {
  test('each record of a call has its own end', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    delivery.answer = async () => [
      { key: 'good', status: 'accepted', vendorId: '1' },
      { key: 'bad', status: 'rejected', code: 'INVALID_EMAIL', cause: 'not an address', vendorSaid: { message: 'full words' } },
      { key: 'locked', status: 'retry', code: 'LOCKED' },
    ];
    const ends = ['good', 'bad', 'locked', 'forgotten'].map((key) => delivery.deliver(key));
    await settle();
    delivery.free();
    const [good, bad, locked, forgotten] = await Promise.all(ends);
    expect(good).toMatchObject({ kind: 'done', outcome: { outcome: 'accepted', vendorId: '1', attempts: [{ number: 1, code: 'OK', batch: 4 }] } });
    expect(bad).toMatchObject({ kind: 'done', outcome: { outcome: 'rejected', code: 'INVALID_EMAIL', vendorSaid: { message: 'full words' } } });
    expect(locked).toMatchObject({ kind: 'failed', attempt: { code: 'LOCKED' } });
    // 2xx that says nothing of a record is not success, and its claim stays: it may have landed.
    expect(forgotten).toMatchObject({ kind: 'failed', attempt: { code: 'MISSING_RESULT' } });
    expect(delivery.confirmed.map(({ keyHmac, landed }) => [keyHmac, landed])).toEqual([
      ['k_good', true],
      ['k_bad', false],
      ['k_locked', false],
    ]);
    expect(delivery.rows.map((row) => row.outcome)).toEqual(['accepted', 'rejected']);
  });

  test.each([
    ['429', { code: 'RATE_LIMITED', status: 429, retryAfterMs: 7_000 }, false, []],
    ['503', { code: 'UNAVAILABLE', status: 503 }, null, ['k_a']],
    ['no answer', { code: 'UNAVAILABLE', status: null, ambiguous: true, connection: true }, null, ['k_a']],
    ['refused connection', { code: 'UNAVAILABLE', status: null, connection: true }, false, ['k_a']],
  ] as const)('%s: failed, to be retried; the claim is given up only if it surely did not land', async (_name, facts, landed, down) => {
    const delivery = new TestDelivery();
    delivery.answer = failing(facts);
    const end = await delivery.deliver('a');
    expect(end).toMatchObject({ kind: 'failed', attempt: { code: facts.code, status: facts.status } });
    expect(delivery.confirmed.map((one) => one.landed)).toEqual(landed === null ? [] : [landed]);
    expect(delivery.reports.at(-1)).toMatchObject({ failed: down });
    expect(delivery.rows).toEqual([]);
  });

  test('a permanent refusal is an outcome, with the vendor’s words masked in the cause and whole in the details', async () => {
    const delivery = new TestDelivery();
    delivery.answer = failing({
      code: 'AUTH',
      status: 403,
      vendorCode: 'MISSING_SCOPES',
      message: 'refused for ada@example.com',
      vendorSaid: { message: 'refused for ada@example.com' },
    });
    const end = await delivery.deliver('a');
    expect(end).toMatchObject({
      kind: 'done',
      outcome: { outcome: 'rejected', code: 'MISSING_SCOPES', vendorSaid: { message: 'refused for ada@example.com' } },
    });
    expect(JSON.stringify(delivery.rows)).not.toContain('ada@');
  });

  test('a bug in a connector is retried and surfaced, never permanent', async () => {
    const delivery = new TestDelivery();
    delivery.answer = async () => {
      throw new TypeError('x is not a function');
    };
    expect(await delivery.deliver('a')).toMatchObject({ kind: 'failed', attempt: { code: 'UNKNOWN', ambiguous: true } });
  });
});

describe('poison', () => {
  test('a refusal of the whole call is halved until the bad record is alone; the others land', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    delivery.answer = async (keys) => {
      if (keys.includes('r13')) throw new VendorError({ code: 'INVALID', status: 400, message: 'bad input', vendorCode: 'VALIDATION_ERROR' });
      return keys.map((key) => ({ key, status: 'accepted' }));
    };
    const ends = names(32).map((key) => delivery.deliver(key));
    await settle();
    delivery.permits = 100; // each half is a call, and needs its own
    delivery.free();
    const outcomes = (await Promise.all(ends)).map((end) => (end.kind === 'done' ? end.outcome.outcome : end.kind));
    expect(outcomes.filter((outcome) => outcome === 'rejected')).toHaveLength(1);
    expect(outcomes[13]).toBe('rejected');
    expect(delivery.batches.length).toBeLessThanOrEqual(2 * Math.log2(32) + 1);
  });

  test('after a failed call of many the next ones are smaller, down to one', () => {
    const plan = samplePlan({ maxBatch: 100 });
    const cap = (batch: number, code = 'UNAVAILABLE') => batchCap({ plan, attempts: [sampleAttempt({ batch, code })] });
    expect([100, 10, 4, 1].map((batch) => cap(batch))).toEqual([10, 4, 1, 1]);
    expect(cap(100, 'RATE_LIMITED')).toBe(100);
    expect(batchCap({ plan, attempts: [] })).toBe(100);
  });
});

describe('blocked whatever permits there are', () => {
  test.each(['paused', 'off-peak', 'budget'] as const)('%s: held at once, unsent, no claim, no attempt; another sync’s records go', async (cause) => {
    const delivery = new TestDelivery();
    const untilMs = Date.now() + 3_600_000;
    delivery.blocked = (_scopes, { lane }) => (lane === 'backfill' ? { cause, untilMs } : null);
    const plan = samplePlan({ vendor: 'fake', operation: 'things.upsert', object: 'thing', budget: { lane: 'backfill' } });
    const [held, gone] = await Promise.all([delivery.deliver('a', { plan }), delivery.deliver('b')]);
    expect(held).toMatchObject({ kind: 'unsent', cause });
    // Spread, so that thousands don't come back in one moment.
    expect((held as { untilMs: number }).untilMs).toBeGreaterThanOrEqual(untilMs);
    expect(gone).toMatchObject({ kind: 'done' });
    expect(delivery.batches).toEqual([['b']]);
    expect(delivery.claims.flat().map(({ keyHmac }) => keyHmac)).toEqual(['k_b']);
  });

  test('paused while another sync waits for the permit: its records do not leave in that one’s call', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    const going = delivery.deliver('a');
    const plan = samplePlan({ syncId: 'other', vendor: 'fake', operation: 'things.upsert', object: 'thing', maxBatch: 100, maxBatchBytes: 1_000_000 });
    const paused = delivery.deliver('b', { plan });
    await settle();
    delivery.blocked = (_scopes, { sync }) => (sync === 'other' ? { cause: 'paused', untilMs: Date.now() + 15_000 } : null);
    delivery.free();
    expect(await paused).toMatchObject({ kind: 'unsent', cause: 'paused' });
    expect(await going).toMatchObject({ kind: 'done' });
    expect(delivery.batches).toEqual([['a']]);
  });

  test('paused while it waits for a permit: it leaves, and the lane is free for others', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    const first = delivery.deliver('a');
    await new Promise((resolve) => setTimeout(resolve, 20));
    delivery.blocked = () => ({ cause: 'paused', untilMs: Date.now() + 15_000 });
    expect(await first).toMatchObject({ kind: 'unsent', cause: 'paused' });
    delivery.blocked = () => null;
    delivery.permits = Infinity;
    expect(await delivery.deliver('b')).toMatchObject({ kind: 'done' });
  });
});
