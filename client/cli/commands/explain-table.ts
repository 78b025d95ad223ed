import { readWaiting } from '../../history/waiting';
import { scopesOf } from '../../../syncs/define-sync';
import { compileTablePlan, type TableSync } from '../../../syncs/define-table-sync';
import { askBudgets } from '../budget-view';
import { CliError, exitCodes } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { queueOf } from '../explain/queue';
import { tableReasonOf, type TableFacts } from '../explain/table-reason';
import { printExplanation } from '../output/explain-text';
import { shellWord } from '../output/words';
import { newestTableRun, type TableRun } from '../table-run';

/** `syncline explain <table sync>` or `<table sync>/run`: what its newest run waits for, until when. */
export async function explainTable(context: CliContext, sync: TableSync): Promise<Answer> {
  const run = await newestTableRun(context, sync.id);
  if (!run) throw new CliError({ exitCode: exitCodes.badNews, what: `${sync.id} has not run yet`, next: `npx syncline table run ${shellWord(sync.id)}` });
  const problems: CliError[] = [];
  const facts = await factsOf(context, sync, run, problems);
  const reason = tableReasonOf(facts);
  const { workflowId, runId, status, view, startedAt } = run;
  const document = {
    workflowId,
    runId,
    status,
    sync: sync.id,
    lane: facts.caller.lane,
    outcome: status === 'running' ? null : (view?.state ?? null),
    ...reason,
    until: reason.until === null ? null : new Date(reason.until).toISOString(),
    queue: facts.queue,
    budgets: facts.budgets,
    run: view,
    unreachable: problems.map((problem) => problem.facts),
  };
  const bad = reason.cause === 'finished' && status !== 'completed';
  const more = { words: 'its rows so far:', command: `npx syncline table status ${shellWord(sync.id)}` };
  return {
    exitCode: bad ? exitCodes.badNews : exitCodes.ok,
    document,
    print: (terminal) =>
      printExplanation(terminal, { workflowId, sync: `${sync.id}, lane ${facts.caller.lane}`, startedAt, more, reason, budgets: facts.budgets, problems }),
  };
}

async function factsOf(context: CliContext, sync: TableSync, run: TableRun, problems: CliError[]): Promise<TableFacts> {
  const access = await context.temporal();
  const { vendor, account, budget } = compileTablePlan(sync);
  const caller = { sync: sync.id, lane: run.view?.lane ?? budget.lane };
  const open = run.status === 'running';
  const waiting = open ? await readWaiting(access.client, run) : null;
  // While it compares or waits for approval it wants nothing of them.
  const scopes = open && run.view?.state === 'running' ? scopesOf(sync) : [];
  const budgets = await askBudgets(context, { scopes, ...caller }, problems);
  const name = waiting?.activities.find(({ state }) => state === 'queued')?.queue;
  const queue = name ? await queueOf(access, name, caller.lane) : null;
  return { run, caller, destination: `${vendor}/${account}`, waiting, budgets, queue, now: Date.now() };
}
