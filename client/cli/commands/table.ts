import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type WorkflowExecutionInfo, type WorkflowHandle } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import os from 'node:os';
import { tableStartOptions, tableSyncType } from '../../../platform/table-start';
import type { Decision, TableRunView } from '../../../schemas/table';
import { compileTablePlan, type TableSync } from '../../../syncs/define-table-sync';
import { tableRunWorkflowId } from '../../../workflows/ids';
import { decideRunUpdate, tableRunQuery } from '../../../workflows/messages';
import { CliError, exitCodes, usageError, type ExitCode } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { printDebts, type TableDebts } from '../output/table-debts-text';
import { decisionWords, printRun, printRuns, runStates, type RunFound, type RunFoundOrNone } from '../output/table-run-text';
import { tableSyncOf } from '../table-run';
import { failureOf, goesOn, stallOf } from '../table-trouble';
import { watchEnd, watchRun, type Watched } from '../table-watch';

/** How often a run that is watched is asked. */
const lookMs = 1_000;

export interface RunOptions {
  full?: boolean;
  backfill?: boolean;
  retryRejected?: boolean;
  wait?: boolean;
}

/** `syncline table run <sync>`: starts a run, and shows how it goes until it ends or waits for approval. */
export async function runTable(context: CliContext, wanted: string, options: RunOptions): Promise<Answer> {
  const sync = syncOf(context, wanted);
  const { id } = sync;
  const { client } = await context.temporal();
  const declared = compileTablePlan(sync);
  const plan = options.backfill ? { ...declared, budget: { ...declared.budget, lane: 'backfill' as const } } : declared;
  const input = { plan, ...(options.full ? { full: true } : {}), ...(options.retryRejected ? { retryRejected: true } : {}) };
  let handle: WorkflowHandle;
  try {
    handle = await client.workflow.start(tableSyncType, tableStartOptions(input));
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new CliError({ exitCode: exitCodes.badNews, what: `a run of ${id} is under way`, next: `npx syncline table status ${id}` });
  }
  if (options.wait === false) return answerOf({ view: await viewOf(context, handle), trouble: null });
  const view = await watchRun(watchedOf(context, sync, handle));
  return answerOf({ view, trouble: view.state === 'failed' ? await failureOf(handle, view) : null });
}

/** `syncline table status [sync]`: the run under way, or the last one. */
export async function tableStatus(context: CliContext, id: string | undefined): Promise<Answer> {
  const syncs = id === undefined ? context.tableSyncs() : [syncOf(context, id)];
  const tables = await Promise.all(syncs.map(async (sync) => ({ sync: sync.id, ...(await lastRun(context, sync)) })));
  const bad = tables.some((found) => exitOf(found) !== exitCodes.ok);
  return { exitCode: bad ? exitCodes.badNews : exitCodes.ok, document: { tables }, print: (terminal) => printRuns(terminal, tables) };
}

/** `syncline table debts [sync]`: what is owed after the last run that ended, over all table syncs. */
export async function tableDebts(context: CliContext, id: string | undefined): Promise<Answer> {
  const syncs = id === undefined ? context.tableSyncs() : [syncOf(context, id)];
  const tables = await Promise.all(syncs.map(async (sync) => ({ sync: sync.id, ...(await lastDebts(context, sync.id)) })));
  const owes = tables.some(({ owed }) => owed !== null && owed.length > 0);
  return { exitCode: owes ? exitCodes.badNews : exitCodes.ok, document: { tables }, print: (terminal) => printDebts(terminal, tables) };
}

/** As the last run counted them that closed itself; null = none is known any more. */
async function lastDebts(context: CliContext, id: string): Promise<Omit<TableDebts, 'sync'>> {
  const { client } = await context.temporal();
  const query = `WorkflowId = '${tableRunWorkflowId(id)}' AND CloseTime IS NOT NULL`;
  const closed: WorkflowExecutionInfo[] = [];
  for await (const run of client.workflow.list({ query })) if (run.status.name !== 'CONTINUED_AS_NEW') closed.push(run);
  const last = closed.sort((a, b) => b.closeTime!.getTime() - a.closeTime!.getTime())[0];
  if (!last) return { runId: null, endedAt: null, owed: null, underWay: (await lastView(context, id))?.state ?? null };
  const { runId, equation } = await viewOf(context, client.workflow.getHandle(last.workflowId, last.runId));
  return { runId, endedAt: last.closeTime!.toISOString(), owed: equation ? (equation.owed ?? []) : null, underWay: null };
}

/** `syncline approve|reject <run> --reason …`; `<run>` may be the sync's id or the workflow's: of a sync one run waits at most. */
export async function decideRun(context: CliContext, run: string, decision: Decision['decision'], reason: string): Promise<Answer> {
  if (reason.trim() === '') throw usageError('a decision without a reason', { where: '--reason', expected: 'why, in a few words: it is kept with the run' });
  const { client } = await context.temporal();
  for (const { id } of context.tableSyncs()) {
    const view = await lastView(context, id);
    if (!view || ![view.runId, id, tableRunWorkflowId(id)].includes(run)) continue;
    if (view.state !== 'waiting')
      throw new CliError({ exitCode: exitCodes.badNews, what: `run ${view.runId} of ${id} does not wait for approval: ${runStates[view.state]}` });
    const by = os.userInfo().username;
    const after = await client.workflow
      .getHandle(tableRunWorkflowId(id))
      .executeUpdate(decideRunUpdate, { args: [{ runId: view.runId, decision, reason, by }] });
    return {
      exitCode: exitCodes.ok,
      document: { run: after, decision, reason, by },
      print: (terminal) => terminal.line(`run ${after.runId} of ${id}: ${decisionWords[decision]}`),
    };
  }
  throw usageError(`no run "${run}" waits for approval`, { next: 'npx syncline table status' });
}

/** `syncline table cancel <sync>`: what is in flight ends and is booked, then the run counts and closes. */
export async function cancelTable(context: CliContext, wanted: string): Promise<Answer> {
  const sync = syncOf(context, wanted);
  const { id } = sync;
  const { client } = await context.temporal();
  const handle = client.workflow.getHandle(tableRunWorkflowId(id));
  const running = await isOpen(handle).catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  });
  if (!running) throw new CliError({ exitCode: exitCodes.badNews, what: `no run of ${id} is under way` });
  await handle.cancel();
  context.terminal.note(`the run of ${id} is asked to end: what is in flight is finished and booked first`);
  // Of this run, though a schedule may start the next one as soon as it has ended.
  const { workflowId, runId } = await handle.describe();
  const watched = watchedOf(context, sync, client.workflow.getHandle(workflowId, runId));
  const found = await watchEnd({ ...watched, view: () => watched.view().catch(stillAskedFor) });
  const ended = found.view.state === 'cancelled' || found.view.state === 'done';
  return { ...answerOf(found), exitCode: ended && found.view.equation?.holds !== false ? exitCodes.ok : exitCodes.badNews };
}

/** No worker at all answers: the cancellation is the server's by then, and is not lost. */
function stillAskedFor(error: unknown): never {
  if (!(error instanceof CliError)) throw error;
  throw new CliError({ ...error.facts, what: `${error.facts.what}; it was asked to end, and does so once a worker is there` });
}

function isOpen(handle: WorkflowHandle): Promise<boolean> {
  return handle.describe().then(({ status }) => status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW');
}

function watchedOf(context: CliContext, sync: TableSync, handle: WorkflowHandle): Watched {
  return {
    view: () => viewOf(context, handle),
    isOpen: () => isOpen(handle),
    stall: (now) => stallOf(context, sync, now),
    note: (text) => context.terminal.note(text),
    now: () => context.terminal.now(),
    wait: () => delay(lookMs),
  };
}

/** The run under way, or the last one, with why it does not go on or failed, and what is owed: by earlier runs until it has counted itself. */
async function lastRun(context: CliContext, sync: TableSync): Promise<RunFoundOrNone> {
  const view = await lastView(context, sync.id);
  const owed = !view || view.equation ? (view?.equation?.owed ?? []) : (await lastDebts(context, sync.id)).owed;
  if (view && goesOn(view)) return { view, owed, trouble: await stallOf(context, sync, view) };
  const { client } = await context.temporal();
  return { view, owed, trouble: view?.state === 'failed' ? await failureOf(client.workflow.getHandle(tableRunWorkflowId(sync.id)), view) : null };
}

async function lastView(context: CliContext, id: string): Promise<TableRunView | null> {
  const { client } = await context.temporal();
  try {
    return await viewOf(context, client.workflow.getHandle(tableRunWorkflowId(id)));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

async function viewOf(context: CliContext, handle: WorkflowHandle): Promise<TableRunView> {
  try {
    const view = await handle.query(tableRunQuery);
    // A run that was cancelled while it waited keeps what it waited for; nobody can approve it any more.
    return view.state === 'waiting' ? view : { ...view, waitingFor: [], expiresAtMs: null };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw error;
    const { address } = await context.temporal();
    throw new CliError({
      exitCode: exitCodes.unreachable,
      what: `run ${handle.workflowId} does not answer`,
      where: address,
      next: 'is a worker running? npx syncline doctor',
    });
  }
}

function answerOf(found: RunFound): Answer {
  const { view, trouble } = found;
  return { exitCode: exitOf(found), document: { run: view, ...(trouble ? { trouble } : {}) }, print: (terminal) => printRun(terminal, found) };
}

/** Bad news: rows somebody has to look at, a run that waits for a person, or that did not end well. */
function exitOf({ view, trouble, owed = view?.equation?.owed ?? [] }: RunFoundOrNone): ExitCode {
  if (view === null) return exitCodes.ok;
  const { rejected = 0, invalid = 0, failed = 0, expired = 0, unattributed = 0 } = view.equation?.outcomes ?? view.outcomes;
  const well = (goesOn(view) || view.state === 'done') && view.equation?.holds !== false;
  // What ends by itself has no next step.
  const waits = trouble?.next !== undefined;
  return well && !waits && (owed ?? []).length + rejected + invalid + failed + expired + unattributed === 0 ? exitCodes.ok : exitCodes.badNews;
}

function syncOf(context: CliContext, id: string): TableSync {
  const sync = tableSyncOf(context, id);
  if (sync) return sync;
  const known = context.tableSyncs().map((one) => one.id);
  throw usageError(`no table sync "${id}"`, { expected: known.length > 0 ? known.join(', ') : 'a table sync declared in syncs/index.ts; there is none yet' });
}
