import type { VendorErrorCode } from '../errors';
import { burst, concurrent, daily } from './limits';

/** Code 606, 607 and 615, and the limit each speaks of. */
export const limitOf: Readonly<Record<string, string>> = { '606': burst, '607': daily, '615': concurrent };

// experienceleague.adobe.com, "Error codes" (AdobeDocs/marketo-developer.en, read 2026-08): "6xx codes always indicate that a
// request failed completely and were not executed", hence none of them is ambiguous.
const table: readonly (readonly [VendorErrorCode, string])[] = [
  ['RATE_LIMITED', '606 607 615'],
  ['AUTH', '600 601 602 603'],
  ['UNAVAILABLE', '500 502 604 608 611 614 713 719 1016 1019 1029'],
  ['NOT_FOUND', '610 702'],
  ['INVALID', '605 609 612 613 616 701 703 704 709 710 711 712 714 718'],
];
const known = new Map(table.flatMap(([code, codes]) => codes.split(' ').map((one) => [one, code] as const)));

/** What a code of Marketo means. 10xx are about the data; the rest of the unknown is tried again, and shown. */
export function meaningOf(code: string): VendorErrorCode {
  return known.get(code) ?? (/^10\d\d$/.test(code) ? 'INVALID' : 'UNKNOWN');
}

/** Whether a record refused with this code may go through unchanged. */
export function isPassing(code: string): boolean {
  const meaning = known.get(code);
  return meaning === 'UNAVAILABLE' || meaning === 'RATE_LIMITED';
}
