import { createKeyHmac } from '../../platform/hmac';
import { packChunk, packedOutcome } from './pack';

const hmac = createKeyHmac(['a-secret-of-tests']).current;

test('every row’s outcome can be read back from seven bytes; exceptions are told, the first of them in full', () => {
  const rows = Array.from({ length: 1_000 }, (_, index) => ({
    key: `row-${index}`,
    outcome: index % 4 === 0 ? ('rejected' as const) : ('accepted' as const),
    code: index % 4 === 0 ? 'INVALID_EMAIL' : null,
    cause: index % 4 === 0 ? 'x'.repeat(1_000) : null,
  }));
  const end = packChunk(rows, hmac);
  expect(end).toMatchObject({ rows: 1_000, outcomes: { accepted: 750, rejected: 250 }, more: 50 });
  expect(end.exceptions).toHaveLength(200);
  expect(end.exceptions[0]).toEqual({ keyHmac: hmac('row-0'), outcome: 'rejected', code: 'INVALID_EMAIL', cause: 'x'.repeat(300) });
  expect(Buffer.from(end.packed, 'base64')).toHaveLength(7_000);
  expect([0, 1, 999].map((index) => packedOutcome(end.packed, hmac(`row-${index}`)))).toEqual(['rejected', 'accepted', 'accepted']);
  expect(packedOutcome(end.packed, hmac('somebody else'))).toBeNull();
  expect(JSON.stringify(end)).not.toContain('row-');
});
