import { sampleAttempt } from '../../test/support/sample-run';
import { pendingActivity } from './waiting';

const entry = (change: Record<string, unknown>) => ({
  activityType: { name: 'deliver' },
  state: 1,
  attempt: 1,
  scheduledTime: 1_795_341_600_000,
  activityOptions: { taskQueue: { name: 'vendor/hubspot/main/live' } },
  ...change,
});

describe('an activity that has not ended', () => {
  test.each([
    ['queued', {}],
    ['running', { state: 2 }],
    ['cancelling', { state: 3 }],
    ['paused', { state: 4 }],
    ['backing-off', { attempt: 2, nextAttemptScheduleTime: 1_795_341_660_000 }],
  ] as const)('is %s', (state, change) => {
    expect(pendingActivity(entry(change))).toMatchObject({ name: 'deliver', state, queue: 'vendor/hubspot/main/live', scheduledAt: 1_795_341_600_000 });
  });

  test('tells its attempts so far: those it reported, and those its last failure carries', () => {
    const [first, second] = [sampleAttempt(), sampleAttempt({ number: 2, at: '2026-11-22T10:00:02.000Z' })];
    expect(pendingActivity(entry({ heartbeatDetails: [[first]] })).attempts).toEqual([first]);
    const failed = pendingActivity(
      entry({ lastFailure: { message: 'the vendor answered 503', applicationFailureInfo: { type: 'UNAVAILABLE', details: [{ attempts: [first, second] }] } } }),
    );
    expect(failed.lastFailure).toBe('UNAVAILABLE: the vendor answered 503');
    expect(failed.attempts).toEqual([first, second]);
  });
});
