import type { RunFilter } from '../../ledger/port';
import { findingOutcomes, runOutcomes, terminalOutcomes, type Outcome } from '../../schemas/outcome';
import { usageError } from './cli-error';
import type { CliContext } from './context';
import { parseSince } from './output/times';

/** What `--outcome` takes. */
export const outcomeChoices: readonly string[] = [...terminalOutcomes, ...findingOutcomes, ...runOutcomes, 'open'];

/** The filter options that `runs` and `replay` share, as typed. */
export interface FilterOptions {
  sync?: string;
  outcome?: string;
  cause?: string;
  since?: string;
  key?: string;
}

/** The ledger's filter for the options. A sync that is not declared is refused: an empty list would look like good news. */
export function runFilter(context: CliContext, options: FilterOptions): Omit<RunFilter, 'limit'> {
  const { sync, outcome, cause, since, key } = options;
  if (sync !== undefined) checkSync(context, sync);
  return {
    ...(sync === undefined ? {} : { syncId: sync }),
    ...(outcome === undefined ? {} : { outcome: outcome as Outcome | 'open' }),
    ...(cause === undefined ? {} : { code: cause }),
    ...(since === undefined ? {} : { sinceMs: parseSince(since, context.terminal.now()) }),
    ...(key === undefined ? {} : { keyHmacs: context.keyHmacs(key) }),
  };
}

function checkSync(context: CliContext, sync: string): void {
  const ids = context.syncs().map(({ id }) => id);
  if (ids.includes(sync)) return;
  throw usageError(`there is no sync "${sync}"`, {
    where: '--sync',
    expected: ids.length > 0 ? `one of ${ids.join(', ')}` : 'the id of a sync in syncs/index.ts (it lists none)',
    next: '`npx syncline syncs` lists them',
  });
}

/** The filter in words, for headings. */
export function filterWords(options: FilterOptions): string {
  const { sync, outcome, cause, since, key } = options;
  const words = [
    ...(sync ? [`sync ${sync}`] : []),
    ...(outcome ? [`outcome ${outcome}`] : []),
    ...(cause ? [`cause ${cause}`] : []),
    ...(key ? ['one record'] : []),
    ...(since ? [/^\d+(\.\d+)?[a-z]+$/.test(since) ? `last ${since}` : `since ${since}`] : []),
  ];
  return words.join(', ');
}
