import type { Outcome } from '../../schemas/outcome';
import type { ChunkEnd, OutcomeCounts, RowException } from '../../schemas/table';
import type { FinishedRow } from '../../warehouse/port';

/** Outcomes by their byte in the packed list. The order is part of histories: only added to. */
export const packedOutcomes: readonly Outcome[] = [
  'accepted',
  'verified',
  'skipped',
  'superseded',
  'rejected',
  'invalid',
  'expired',
  'failed',
  'cancelled',
  'unattributed',
  'missing',
  'drifted',
  'held',
];

/** Bytes of a key's HMAC that are kept: two of a chunk's rows look alike once in about 10^8 chunks. */
const hmacBytes = 6;
/** Exceptions told in full; more of them stand in `run_rows`. */
const maxExceptions = 200;
const quiet = new Set<Outcome>(['accepted', 'verified', 'skipped', 'superseded']);

/** A chunk's end as history keeps it: counts, exceptions, and every row's outcome in seven bytes. */
export function packChunk(rows: readonly FinishedRow[], keyHmac: (key: string) => string): ChunkEnd {
  const outcomes: OutcomeCounts = {};
  const exceptions: RowException[] = [];
  let more = 0;
  const packed = Buffer.alloc(rows.length * (hmacBytes + 1));
  rows.forEach(({ key, outcome, code, cause }, index) => {
    const hmac = keyHmac(key);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    bytesOf(hmac).copy(packed, index * (hmacBytes + 1), 0, hmacBytes);
    packed[index * (hmacBytes + 1) + hmacBytes] = packedOutcomes.indexOf(outcome);
    if (quiet.has(outcome)) return;
    if (exceptions.length < maxExceptions) exceptions.push({ keyHmac: hmac, outcome, code: code ?? '', cause: (cause ?? '').slice(0, 300) });
    else more += 1;
  });
  return { rows: rows.length, outcomes, exceptions, more, packed: packed.toString('base64') };
}

/** What a packed list says of a record; null = it is not in it. */
export function packedOutcome(packed: string, keyHmac: string): Outcome | null {
  const list = Buffer.from(packed, 'base64');
  const wanted = bytesOf(keyHmac).subarray(0, hmacBytes);
  for (let at = 0; at < list.length; at += hmacBytes + 1) {
    if (list.compare(wanted, 0, hmacBytes, at, at + hmacBytes) === 0) return packedOutcomes[list[at + hmacBytes]!] ?? null;
  }
  return null;
}

/** `k_` and base64url, as `platform/hmac.ts` writes it. */
function bytesOf(keyHmac: string): Buffer {
  return Buffer.from(keyHmac.slice(2), 'base64url');
}
