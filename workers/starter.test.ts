import { ServiceError } from '@temporalio/client';
import { refusedForGood } from './starter';

/** As the client throws it: its own error around what the connection said. */
function refused(code: number, details: string): ServiceError {
  const cause = Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
  return new ServiceError('Failed to start Workflow', { cause });
}

describe('a start that Temporal refuses', () => {
  test.each([
    [3, 'Blob data size exceeds limit.'],
    [8, 'grpc: received message larger than max (4300927 vs. 4194304)'],
  ])('code %d, %s: for good, with the reason', (code, details) => {
    expect(refusedForGood(refused(code, details))).toContain(details);
  });

  test.each([
    [3, 'Namespace default has no mapping defined for search attribute SynclineSync'],
    [8, 'namespace rate limit exceeded'],
    [14, 'upstream connect error'],
  ])('code %d, %s: waited out', (code, details) => {
    expect(refusedForGood(refused(code, details))).toBeNull();
  });

  test('an error of another kind is waited out', () => {
    expect(refusedForGood(new TypeError('x'))).toBeNull();
  });
});
