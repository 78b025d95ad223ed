import picocolors from 'picocolors';
import type { Ledger, RunFilter, RunLine } from '../../../ledger/port';
import { createKeyHmac } from '../../../platform/hmac';
import { syncs } from '../../../syncs';
import type { TableSync } from '../../../syncs/define-table-sync';
import { CliError, exitCodes } from '../cli-error';
import type { CliContext, TemporalAccess } from '../context';
import type { Terminal } from '../terminal';

/** A terminal that remembers what was written. */
export interface RecordedTerminal extends Terminal {
  readonly out: string[];
  readonly err: string[];
}

export const testNow = Date.parse('2026-11-22T12:00:00.000Z');

export function recordedTerminal(columns = 100): RecordedTerminal {
  const out: string[] = [];
  const err: string[] = [];
  return {
    out,
    err,
    line: (text = '') => void out.push(...text.split('\n')),
    note: (text) => void err.push(...text.split('\n')),
    columns,
    colours: picocolors.createColors(false),
    now: () => testNow,
  };
}

/** A row of the ledger, landed at the first attempt unless changed. */
export function runLine(change: Partial<RunLine> = {}): RunLine {
  return {
    syncId: 'shop-customer-to-crm',
    source: 'shopify',
    account: 'shop',
    eventId: 'customers/update~e-1~0011',
    topic: 'customers/update',
    workflowId: 'shop-customer-to-crm/shop/customers%2Fupdate~e-1~0011',
    receivedAt: '2026-11-22T11:59:00.000Z',
    state: 'closed',
    outcome: 'accepted',
    finding: null,
    code: null,
    cause: null,
    attempts: 1,
    duplicates: 0,
    fallback: false,
    hasBody: false,
    closedAt: '2026-11-22T11:59:01.000Z',
    ...change,
  };
}

/** A ledger that holds `lines`, each with the keys of `keysOf`. Only what commands read is there. */
export function fakeLedger(lines: readonly RunLine[], keysOf: (line: RunLine) => readonly string[] = () => []): Ledger {
  const fits = (filter: Omit<RunFilter, 'limit'>) => (line: RunLine) =>
    (filter.syncId === undefined || line.syncId === filter.syncId) &&
    (filter.outcome === undefined || (line.outcome ?? 'open') === filter.outcome) &&
    (filter.code === undefined || line.code === filter.code) &&
    (filter.sinceMs === undefined || Date.parse(line.receivedAt) >= filter.sinceMs) &&
    (filter.id === undefined || line.eventId === filter.id || line.workflowId === filter.id) &&
    (filter.keyHmacs === undefined || keysOf(line).some((key) => filter.keyHmacs?.includes(key)));
  const queries: Partial<Ledger['queries']> = {
    runs: (filter) => Promise.resolve(lines.filter(fits(filter)).slice(0, filter.limit)),
    counts: (filter) => Promise.resolve(lines.filter(fits(filter)).map((line) => ({ outcome: line.outcome ?? ('open' as const), code: line.code, count: 1 }))),
    landed: () => Promise.resolve([]),
    event: () => Promise.resolve(null),
  };
  return { queries, close: () => Promise.resolve() } as unknown as Ledger;
}

export const testKeyHmac = createKeyHmac(['a-newer-secret-of-tests', 'an-older-secret-of-tests']);

/** A context on a fake ledger; Temporal is away unless given. */
export function fakeContext(
  terminal: Terminal,
  parts: { ledger?: Ledger; temporal?: TemporalAccess; env?: CliContext['env']; tableSyncs?: readonly TableSync[] } = {},
): CliContext {
  const away = (what: string) => () => Promise.reject(new CliError({ exitCode: exitCodes.unreachable, what: `${what} does not answer`, where: 'test:1' }));
  return {
    terminal,
    env: parts.env ?? {},
    ledger: parts.ledger ? () => Promise.resolve(parts.ledger as Ledger) : away('the database'),
    temporal: parts.temporal ? () => Promise.resolve(parts.temporal as TemporalAccess) : away('Temporal'),
    syncs: () => syncs,
    tableSyncs: () => parts.tableSyncs ?? [],
    keyHmacs: (key) => testKeyHmac.all(key.trim().toLowerCase()),
    close: () => Promise.resolve(),
  };
}
