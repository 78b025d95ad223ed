import type { PlainEvent } from '../../history/decode';
import type { RunTrace } from '../../history/steps';
import shopCustomerToCrm from '../../../syncs/shop-customer-to-crm/sync';
import { sampleEvent } from '../../../test/support/sample-run';
import { fakeContext, fakeLedger, recordedTerminal, runLine } from '../testing/fake-context';
import { selectCandidates } from './candidates';
import { refusalOf } from './eligibility';
import { changesBetween, previewOf } from './preview';
import { resetPoint } from './reset';
import { replayPlan } from './start';

describe('who may be replayed', () => {
  const no = { resend: false };
  test.each(['failed', 'rejected', 'invalid', 'expired', 'skipped'] as const)('%s: yes', (outcome) => {
    expect(refusalOf({ line: runLine({ outcome }) }, 'FAILED', no)).toBeNull();
  });

  test('landed: only when the operator says so, or a later look found it gone', () => {
    expect(refusalOf({ line: runLine() }, 'COMPLETED', no)).toContain('--resend');
    expect(refusalOf({ line: runLine() }, 'COMPLETED', { resend: true })).toBeNull();
    expect(refusalOf({ line: runLine({ finding: 'missing' }) }, 'COMPLETED', no)).toBeNull();
  });

  test('superseded: never; running or not started: not now', () => {
    expect(refusalOf({ line: runLine({ outcome: 'superseded' }) }, 'COMPLETED', { resend: true })).toContain('newer version');
    expect(refusalOf({ line: runLine({ outcome: 'failed' }) }, 'RUNNING', { resend: true })).toContain('still running');
    expect(refusalOf({ line: runLine({ outcome: null, state: 'new' }) }, null, no)).toContain('not started yet');
  });

  test('unknown to the ledger: Temporal’s word has to do', () => {
    expect(refusalOf({ line: null }, null, no)).toContain('unknown');
    expect(refusalOf({ line: null }, 'FAILED', no)).toBeNull();
    expect(refusalOf({ line: null }, 'COMPLETED', no)).toContain('--resend');
  });
});

describe('selection', () => {
  const lines = [
    runLine({ workflowId: 'w-new', eventId: 'e-new', outcome: 'failed', receivedAt: '2026-11-22T11:00:00.000Z' }),
    runLine({ workflowId: 'w-old', eventId: 'e-old', outcome: 'invalid', receivedAt: '2026-11-22T09:00:00.000Z' }),
    runLine({ workflowId: 'w-landed', eventId: 'e-landed' }),
    runLine({ workflowId: 'w-fan-out', eventId: 'e-new', outcome: 'accepted' }),
  ];
  const context = fakeContext(recordedTerminal(), { ledger: fakeLedger(lines) });

  test('a filter without an outcome means every failed one, oldest first', async () => {
    const { candidates, fitting } = await selectCandidates(context, [], { sync: 'shop-customer-to-crm', limit: 10 });
    expect(candidates.map(({ workflowId }) => workflowId)).toEqual(['w-old', 'w-new']);
    expect(fitting).toBe(2);
  });

  test('an id of a fanned-out event means its failed runs; a landed one is kept to be refused', async () => {
    const { candidates } = await selectCandidates(context, ['e-new', 'e-landed', 'e-nowhere'], { limit: 10 });
    expect(candidates.map(({ workflowId, line }) => [workflowId, line?.outcome])).toEqual([
      ['w-new', 'failed'],
      ['w-landed', 'accepted'],
      ['e-nowhere', undefined],
    ]);
  });
});

describe('dry run', () => {
  const mapped = (input: object): RunTrace[] => [
    { steps: [{ at: 0, kind: 'mapped', key: 'k', keyHmac: 'h', version: null, fields: [], input }] } as unknown as RunTrace,
  ];

  test('shows what today’s mapping changes', () => {
    const preview = previewOf(
      shopCustomerToCrm,
      sampleEvent(),
      mapped({ email: 'ada@example.com', properties: { firstname: 'A.', phone: '1' } }),
      () => 'hmac',
    );
    expect(preview).toMatchObject({ kind: 'ready', key: 'ada@example.com', enrichment: 'none' });
    expect(preview.kind === 'ready' && preview.changes).toEqual(
      expect.arrayContaining([
        { field: 'properties.firstname', before: 'A.', after: 'Ada' },
        { field: 'properties.phone', before: '1' },
      ]),
    );
  });

  test('an event that still breaks its contract says so', () => {
    expect(previewOf(shopCustomerToCrm, sampleEvent({ body: {} }), [], () => '')).toMatchObject({ kind: 'invalid', code: 'CONTRACT_VIOLATION' });
  });

  test('without an earlier mapping there is nothing to compare with', () => {
    expect(previewOf(shopCustomerToCrm, sampleEvent(), [], () => '')).toMatchObject({ kind: 'ready', changes: null });
  });

  test('equal values are no change', () => {
    expect(changesBetween({ a: { b: 1 } }, { a: { b: 1 } })).toEqual([]);
  });
});

test('a replay waits behind everything that is live', () => {
  expect(replayPlan(shopCustomerToCrm).budget.lane).toBe('replay');
});

describe('reset to delivery', () => {
  const event = (id: number, type: string, attributes: Record<string, unknown>): PlainEvent => ({ id, type, at: 0, attributes });
  const mapping = event(5, 'markerRecorded', { details: { result: [{ kind: 'ready' }] }, workflowTaskCompletedEventId: 4 });
  const deliver = (task: number) => event(task + 1, 'activityTaskScheduled', { activityType: { name: 'deliver' }, workflowTaskCompletedEventId: task });

  test('goes to the task that queued the delivery', () => expect(resetPoint([mapping, deliver(11)])).toBe(11));
  test('is impossible when mapping and delivery are one decision', () => expect(resetPoint([mapping, deliver(4)])).toBeNull());
  test('is impossible when nothing was queued', () => expect(resetPoint([mapping])).toBeNull());
});
