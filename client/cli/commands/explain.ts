import { fetchTrace } from '../../history/fetch-trace';
import type { RunTrace } from '../../history/steps';
import type { Lane } from '../../../schemas/plan';
import { lanePriority } from '../../../workflows/ids';
import { budgetView, waitingWork } from '../budget-view';
import { CliError, exitCodes } from '../cli-error';
import type { Answer, CliContext, TemporalAccess } from '../context';
import { reasonOf, type ExplainFacts } from '../explain/reason';
import { findRecords } from '../find-records';
import { printExplanation } from '../output/explain-text';

/** `syncline explain <workflowId>`: why a record is not there yet, behind what, until when. */
export async function explain(context: CliContext, id: string): Promise<Answer> {
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
    print: (terminal) => printExplanation(terminal, { workflowId, run: run.trace, reason, budgets: facts.budgets, problems }),
  };
}

/** Not a workflow id, but something else that `trace` takes: the ledger knows which run that is. */
async function workflowIdOf(context: CliContext, id: string): Promise<string> {
  const line = (await findRecords(context, id)).at(-1);
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
  const budgets: ExplainFacts['budgets'][number][] = [];
  for (const scope of open ? (trace.plan?.scopes ?? []) : []) {
    try {
      const { syncId = '', budget } = trace.plan ?? {};
      const work = await waitingWork(context, scope);
      // A replay goes in its own lane.
      const lane = budget?.lane ?? 'live';
      const mine = work.some((one) => one.sync === syncId && one.lane === lane) ? [] : [{ sync: syncId, lane, calls: 1 }];
      budgets.push({ scope, view: await budgetView(context, scope, [...work, ...mine]) });
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      problems.push(error);
    }
  }
  const name = waiting?.activities.find(({ state }) => state === 'queued')?.queue;
  return { run: trace, waiting, budgets, queue: name ? await queueOf(access, name, trace.plan?.budget.lane ?? 'live') : null, now: Date.now() };
}

/** What stands in a task queue. Records of its own lane count as before it by half. */
async function queueOf({ client, namespace }: TemporalAccess, name: string, lane: Lane): Promise<ExplainFacts['queue']> {
  const answer = await client.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType: 2, reportStats: true });
  const count = (stats: { approximateBacklogCount?: unknown } | null | undefined): number => Number(stats?.approximateBacklogCount ?? 0);
  const byPriority = Object.entries((answer as { statsByPriorityKey?: Record<string, { approximateBacklogCount?: unknown }> }).statsByPriorityKey ?? {});
  const waiting = count(answer.stats);
  const sum = (fits: (priority: number) => boolean): number =>
    byPriority.filter(([key]) => fits(Number(key))).reduce((total, [, stats]) => total + count(stats), 0);
  const before = sum((priority) => priority < lanePriority[lane]) + sum((priority) => priority === lanePriority[lane]) / 2;
  return {
    name,
    pollers: answer.pollers?.length ?? 0,
    waiting,
    ahead: Math.max(0, Math.min(waiting - 1, byPriority.length > 0 ? Math.floor(before) : Math.floor(waiting / 2))),
  };
}
