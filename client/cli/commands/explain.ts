import { fetchTrace } from '../../history/fetch-trace';
import type { RunTrace } from '../../history/steps';
import { askBudgets } from '../budget-view';
import { CliError, exitCodes } from '../cli-error';
import type { Answer, CliContext, TemporalAccess } from '../context';
import { queueOf } from '../explain/queue';
import { reasonOf, type ExplainFacts } from '../explain/reason';
import { findAll } from '../find-records';
import { printExplanation } from '../output/explain-text';
import { shellWord } from '../output/words';
import { tableSyncOf } from '../table-run';
import { explainTable } from './explain-table';

/** `syncline explain <id>`: why a record, or the rows of a table, are not there yet, behind what, until when. */
export async function explain(context: CliContext, id: string): Promise<Answer> {
  const tableSync = tableSyncOf(context, id);
  if (tableSync) return explainTable(context, tableSync);
  const access = await context.temporal();
  const run = (await newestRun(access, id)) ?? (await newestRun(access, await workflowIdOf(context, id)));
  if (!run) throw unknown(id);
  const problems: CliError[] = [];
  const facts = await factsOf(context, access, run, problems);
  const reason = reasonOf(facts);
  const { plan, workflowId, runId, status, outcome } = run.trace;
  const document = {
    workflowId,
    runId,
    status,
    sync: plan?.syncId ?? null,
    lane: plan?.budget.lane ?? null,
    outcome: outcome?.outcome ?? null,
    ...reason,
    until: reason.until === null ? null : new Date(reason.until).toISOString(),
    queue: facts.queue,
    budgets: facts.budgets,
    unreachable: problems.map((problem) => problem.facts),
  };
  const bad = reason.cause === 'finished' && status !== 'completed';
  return {
    exitCode: bad ? exitCodes.badNews : exitCodes.ok,
    document,
    print: (terminal) => printExplanation(terminal, { workflowId, ...asked(run.trace), reason, budgets: facts.budgets, problems }),
  };
}

function asked({ plan, startedAt, workflowId }: RunTrace) {
  const sync = plan ? `${plan.syncId}, lane ${plan.budget.lane}` : 'not a record’s run';
  return { sync, startedAt, more: { words: 'all that happened so far:', command: `npx syncline trace ${shellWord(workflowId)}` } };
}

/** Not a workflow id, but something else that `trace` takes: the ledger knows which run that is, or Temporal while it is open. */
async function workflowIdOf(context: CliContext, id: string): Promise<string> {
  const lines = (await findAll(context, id)) ?? [];
  // Of many with this key, one that is not there yet: the others wait for nothing.
  const line = lines.findLast(({ outcome }) => outcome === null) ?? lines.at(-1);
  if (!line) throw unknown(id);
  if (line.state === 'new' || line.state === 'claimed') {
    throw new CliError({
      exitCode: exitCodes.badNews,
      what: 'its run has not started: the event waits in the inbox',
      where: id,
      next: 'is a worker running, and does it list this sync? npx syncline doctor',
    });
  }
  return line.workflowId;
}

function unknown(id: string): CliError {
  return new CliError({
    exitCode: exitCodes.badNews,
    what: 'nothing is known under this id',
    where: id.includes('@') ? 'the key given' : id,
    expected: 'a workflow id, an event id, an e-mail address or an external id',
    next: 'npx syncline runs --outcome open',
  });
}

async function newestRun({ client }: TemporalAccess, workflowId: string): Promise<{ trace: RunTrace; waiting: ExplainFacts['waiting'] } | null> {
  const { runs, waiting } = await fetchTrace(client, workflowId);
  const trace = runs.at(-1);
  if (!trace) return null;
  return { trace, waiting };
}

async function factsOf(
  context: CliContext,
  access: TemporalAccess,
  run: { trace: RunTrace; waiting: ExplainFacts['waiting'] },
  problems: CliError[],
): Promise<ExplainFacts> {
  const { trace, waiting } = run;
  const open = trace.status === 'running';
  const { syncId: sync = '', budget, scopes = [] } = trace.plan ?? {};
  const lane = budget?.lane ?? 'live';
  const budgets = await askBudgets(context, { scopes: open ? scopes : [], sync, lane }, problems);
  const name = waiting?.activities.find(({ state }) => state === 'queued')?.queue;
  return { run: trace, waiting, budgets, queue: name ? await queueOf(access, name, lane) : null, now: Date.now() };
}
