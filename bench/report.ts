import Table from 'cli-table3';
import type { Result } from './bench';

/** The results for people. */
export function asTable(results: readonly Result[]): string {
  const rows = new Table({
    head: ['metric', 'value', 'against', 'ratio', 'aim', 'met'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const { metric, value, unit, against, ratio, aim, met } of results) {
    rows.push([metric, `${value} ${unit}`, against ?? '', ratio ?? '', aim ?? '', met === null ? '' : met ? 'yes' : 'NO']);
  }
  return rows.toString();
}
