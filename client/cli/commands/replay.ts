import { setTimeout as delay } from 'node:timers/promises';
import { CliError, exitCodes, usageError } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { confirm } from '../confirm';
import type { FilterOptions } from '../filter';
import { printReplay } from '../output/replay-text';
import { counted } from '../output/words';
import { type Candidate, selectCandidates, type Selection } from '../replay/candidates';
import { examine, type Examined } from '../replay/examine';
import type { Preview } from '../replay/preview';
import { resetToDelivery } from '../replay/reset';
import { startReplay, type Started } from '../replay/start';
import { type WaitedFor, waitForOutcomes } from '../replay/wait';
import { isFailedOutcome } from '../../../schemas/outcome';

export interface ReplayOptions extends FilterOptions {
  dryRun?: boolean;
  from: string;
  resend?: boolean;
  /** Starts per second. */
  rate: number;
  limit: number;
  wait?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** What became of one candidate. */
export interface ReplayResult {
  id: string;
  workflowId: string;
  syncId: string | null;
  result: 'started' | 'refused' | 'would start';
  reason?: string;
  runId?: string;
  /** With `--wait`. */
  end?: WaitedFor;
  /** With `--dry-run`. */
  preview?: Preview;
}

/** `syncline replay`: new runs for events that failed, with the sync as it is now. */
export async function replay(context: CliContext, ids: readonly string[], options: ReplayOptions): Promise<Answer> {
  checkOptions(options);
  const selection = await selectCandidates(context, ids, options);
  const { candidates } = selection;
  if (candidates.length > 1 && !options.dryRun) await agree(context, selection, options);
  const results: ReplayResult[] = [];
  const startedAt = context.terminal.now();
  for (const [index, candidate] of candidates.entries()) {
    results.push(await replayOne(context, candidate, options));
    const dueMs = startedAt + ((index + 1) * 1_000) / options.rate - context.terminal.now();
    if (!options.dryRun && dueMs > 0 && index < candidates.length - 1) await delay(dueMs);
  }
  if (options.wait) await wait(context, results);
  return answer(results, selection, options);
}

function checkOptions(options: ReplayOptions): void {
  if (options.from === 'delivery' && options.resend) {
    throw usageError('--resend can’t be combined with --from delivery', {
      where: 'replay',
      expected: 'a reset goes on with the old run’s input, which can’t be changed; leave out one of them',
    });
  }
  if (options.from === 'delivery' && options.dryRun) {
    throw usageError('--dry-run has nothing to show with --from delivery', {
      where: 'replay',
      expected: 'a reset sends what was mapped before; `trace` shows it',
    });
  }
  if ((options.outcome === 'accepted' || options.outcome === 'verified') && !options.resend) {
    throw usageError(`records that are ${options.outcome} have landed`, {
      where: '--outcome',
      expected: '--resend with it, when they are meant to be written to the vendor again',
    });
  }
}

async function agree(context: CliContext, { candidates, fitting }: Selection, options: ReplayOptions): Promise<void> {
  const more = fitting > candidates.length ? ` (the oldest of ${fitting}; --limit takes more)` : '';
  const question = `Replay ${counted(candidates.length, 'event')}${more}?`;
  if (options.yes) return;
  if (await confirm(question, options.json === true)) return;
  throw new CliError({
    exitCode: exitCodes.usage,
    what: `${counted(candidates.length, 'event')} would be replayed${more}, and nobody agreed`,
    where: 'replay',
    expected: '--yes, or "y" to the question on a terminal',
    next: 'add --dry-run to see what would be sent, then --yes',
  });
}

async function replayOne(context: CliContext, candidate: Candidate, options: ReplayOptions): Promise<ReplayResult> {
  const { id, workflowId, line } = candidate;
  const examined = await examine(context, candidate, { resend: options.resend === true, dryRun: options.dryRun === true });
  const result = { id, workflowId, syncId: line?.syncId ?? ('sync' in examined ? examined.sync.id : null) };
  if ('refusal' in examined) return { ...result, result: 'refused', reason: examined.refusal };
  if (options.dryRun) return { ...result, result: 'would start', ...(examined.preview ? { preview: examined.preview } : {}) };
  const started = await start(context, candidate, examined, options);
  return 'refusal' in started ? { ...result, result: 'refused', reason: started.refusal } : { ...result, result: 'started', runId: started.runId };
}

async function start(
  context: CliContext,
  { workflowId, line }: Candidate,
  { sync, event }: Exclude<Examined, { refusal: string }>,
  options: ReplayOptions,
): Promise<Started> {
  const [access, ledger] = [await context.temporal(), await context.ledger()];
  if (options.from === 'delivery') return resetToDelivery(access, ledger, workflowId, line);
  return startReplay(access, ledger, { workflowId, line, sync, event, resend: options.resend === true });
}

async function wait(context: CliContext, results: ReplayResult[]): Promise<void> {
  const started = results.filter((result): result is ReplayResult & { runId: string } => result.runId !== undefined);
  if (started.length === 0) return;
  const { client } = await context.temporal();
  let ended = 0;
  context.terminal.note(`waiting for ${counted(started.length, 'outcome')}; Ctrl-C stops the waiting, not the runs`);
  const ends = await waitForOutcomes(client, started, () => {
    ended += 1;
    if (ended % 50 === 0) context.terminal.note(`${ended} of ${started.length} ended`);
  });
  started.forEach((result, index) => (result.end = ends[index] ?? null));
}

function answer(results: ReplayResult[], { fitting }: Selection, options: ReplayOptions): Answer {
  const bad = results.some(
    ({ result, end, preview }) =>
      result === 'refused' ||
      (end !== undefined && (end === null || isFailedOutcome(end.outcome))) ||
      preview?.kind === 'invalid' ||
      preview?.kind === 'failed',
  );
  return {
    exitCode: bad ? exitCodes.badNews : exitCodes.ok,
    document: {
      dryRun: options.dryRun === true,
      from: options.from,
      fitting,
      selected: results.length,
      started: results.filter(({ result }) => result === 'started').length,
      refused: results.filter(({ result }) => result === 'refused').length,
      results,
    },
    print: (terminal) => printReplay(terminal, results, { dryRun: options.dryRun === true, waited: options.wait === true, fitting }),
  };
}
