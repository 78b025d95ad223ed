import { Command as Commander, InvalidArgumentError, Option } from 'commander';
import type * as StartModule from './commands/start';
import type * as BudgetModule from './commands/budget';
import type * as RunsModule from './commands/runs';
import type * as ExplainModule from './commands/explain';
import type * as TraceModule from './commands/trace';
import type * as ReplayModule from './commands/replay';
import type * as DoctorModule from './commands/doctor';
import type * as ProcessModule from './commands/run-process';
import type * as TableModule from './commands/table';
import type * as ContractsModule from './commands/contracts';
import type * as SyncsModule from './commands/syncs';
import type { Answer, CliContext } from './context';
import { outcomeChoices } from './filter';
import { addTable } from './table-program';

/** Runs one command: gives it the context, prints its answer, remembers its exit code. */
export type Execute = (command: (context: CliContext) => Promise<Answer>, options: { json?: boolean }) => Promise<void>;

/* Commands are loaded when they are called: `--help` must not wait for Temporal's client. */
/* eslint-disable @typescript-eslint/no-require-imports */
const load = {
  start: () => require('./commands/start') as typeof StartModule,
  budget: () => require('./commands/budget') as typeof BudgetModule,
  runs: () => require('./commands/runs') as typeof RunsModule,
  explain: () => require('./commands/explain') as typeof ExplainModule,
  trace: () => require('./commands/trace') as typeof TraceModule,
  replay: () => require('./commands/replay') as typeof ReplayModule,
  doctor: () => require('./commands/doctor') as typeof DoctorModule,
  process: () => require('./commands/run-process') as typeof ProcessModule,
  table: () => require('./commands/table') as typeof TableModule,
  contracts: () => require('./commands/contracts') as typeof ContractsModule,
  syncs: () => require('./commands/syncs') as typeof SyncsModule,
};
/* eslint-enable @typescript-eslint/no-require-imports */

/** All commands with their options; what each does stands in `commands/`. */
export function createProgram(execute: Execute): Commander {
  const program = new Commander('syncline')
    .description('Every record has a durable fate: list, trace and replay what moved and what did not.')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false, helpWidth: 100 })
    .addHelpText(
      'after',
      '\nEvery command takes --json. Exit codes: 0 ok, 1 the answer is bad news, 2 usage, 3 Temporal or the database\nis unreachable. Connections: TEMPORAL_* (or temporal.toml), SYNCLINE_DATABASE_URL.',
    );
  addStart(program, execute);
  addRuns(program, execute);
  addTrace(program, execute);
  addExplain(program, execute);
  addReplay(program, execute);
  addOverview(program, execute);
  addBudget(program, execute);
  addTable(program, { execute, load: load.table });
  addProcesses(program, execute);
  for (const command of program.commands) command.addOption(new Option('--json', 'print one JSON document'));
  return program;
}

type Typed<O> = O & { json?: boolean };

function addStart(program: Commander, execute: Execute): void {
  program
    .command('start')
    .description('a sandbox with everything in it; with TEMPORAL_ADDRESS, gateway and worker against your Temporal')
    .option('--once', 'the samples to their end on fresh state, then the count; leaves nothing running')
    .option('--no-samples', 'send no sample events')
    .option('--rate <n>', 'ordinary events per second after the samples', positive)
    .action((options: Typed<Parameters<ReturnType<typeof load.start>['start']>[1]>) => execute((context) => load.start().start(context, options), options));
}

function addRuns(program: Commander, execute: Execute): void {
  withFilter(program.command('runs').description('what became of the events: counts by outcome and cause, and the newest ones'))
    .option('--limit <n>', 'rows of the list', count, 20)
    .action((options: Typed<Parameters<ReturnType<typeof load.runs>['runs']>[1]>) => execute((context) => load.runs().runs(context, options), options))
    .addHelpText('after', examples('runs --outcome failed --since 1d', 'runs --key ada@example.com', 'runs --outcome open'));
}

function addTrace(program: Commander, execute: Execute): void {
  program
    .command('trace <id>')
    .description('one record from the door to the vendor: mapped values, every HTTP attempt, the answer')
    .option('--redact', 'leave out values from the record, so that the output can be passed on')
    .action((id: string, options: Typed<{ redact?: boolean }>) => execute((context) => load.trace().trace(context, id, options), options))
    .addHelpText(
      'after',
      `\n<id> is an event id, a workflow id, an e-mail address or an external id.\n${examples('trace ada@example.com', 'trace shop-customer-to-crm/shop/5551')}`,
    );
}

function addExplain(program: Commander, execute: Execute): void {
  program
    .command('explain <id>')
    .description('why a record, or the rows of a table, are not there yet: what it waits for, behind what, until when')
    .action((id: string, options: Typed<object>) => execute((context) => load.explain().explain(context, id), options))
    .addHelpText(
      'after',
      `\n<id> is a workflow id, an event id, an e-mail address or an external id; or a table sync.\n${examples('explain shop-customer-to-crm/shop/5551')}`,
    );
}

function addReplay(program: Commander, execute: Execute): void {
  withFilter(program.command('replay [ids...]').description('send failed events again, with the sync as it is now'))
    .option('--dry-run', 'start nothing; show what would be sent, and what the mapping changes')
    .option('--from <point>', '"start": validate and map anew; "delivery": same mapped values (Temporal reset)', oneOf('start', 'delivery'), 'start')
    .option('--resend', 'also send records that have landed (changes the vendor’s data again)')
    .option('--rate <n>', 'runs to start per second', positive, 10)
    .option('--limit <n>', 'most events to take with a filter', count, 1000)
    .option('--wait', 'wait for the outcomes')
    .option('--yes', 'do not ask before replaying more than one')
    .action((ids: string[], options: Typed<Parameters<ReturnType<typeof load.replay>['replay']>[2]>) =>
      execute((context) => load.replay().replay(context, ids, options), options),
    )
    .addHelpText(
      'after',
      `\nIds are event ids or workflow ids; without ids, a filter chooses.\n${examples('replay 5551 --dry-run', 'replay --sync shop-customer-to-crm --outcome invalid --since 2d --yes')}`,
    );
}

function addOverview(program: Commander, execute: Execute): void {
  program
    .command('doctor')
    .description('check the installation: servers, settings, credentials, workers; with a fix for everything found')
    .action((options: Typed<object>) => execute((context) => load.doctor().doctor(context), options));
  program
    .command('syncs')
    .description('the declared syncs: source, contract, destination, retry, budget')
    .action((options: Typed<object>) => execute((context) => load.syncs().listSyncs(context), options));
  program
    .command('contracts [name]')
    .description('the contracts of the syncs; with a name, its fields')
    .option('--json-schema', 'print the contract as JSON Schema')
    .action((name: string | undefined, options: Typed<{ jsonSchema?: boolean }>) =>
      execute((context) => load.contracts().contracts(context, name, options), options),
    );
}

function addBudget(program: Commander, execute: Execute): void {
  const budget = program
    .command('budget [scope]')
    .description('who spends what of each vendor account, what is left, and when it runs out')
    .action((scope: string | undefined, options: Typed<object>) => execute((context) => load.budget().showBudgets(context, scope), options))
    .addHelpText(
      'after',
      examples('budget', 'budget hubspot/main --json', 'budget pause hubspot/main lane:backfill', 'budget share hubspot/main shop-order-to-crm 30%'),
    );
  const change = (name: string, description: string, command: (text: string, more: string) => Parameters<ReturnType<typeof load.budget>['changeBudget']>[2]) =>
    budget
      .command(name)
      .description(description)
      .addOption(new Option('--json', 'print one JSON document'))
      .action((...given: unknown[]) => {
        const own = given.at(-1) as Commander;
        const [scope = '', what = '', more = ''] = own.args;
        // Before or after the subcommand's name, `--json` is the same wish.
        return execute((context) => load.budget().changeBudget(context, scope, command(what, more)), own.optsWithGlobals<{ json?: boolean }>());
      });
  change('pause <scope> <what>', 'nothing of "all", "lane:<lane>" or "sync:<id>" is sent until resumed', (what) => ({ kind: 'pause', what }));
  change('resume <scope> <what>', 'takes a pause back; "all" takes every one back', (what) => ({ kind: 'resume', what }));
  change('share <scope> <sync> <part>', 'guarantees a sync a part, e.g. 0.3 or 30%; "none" for as declared', (sync, part) => ({
    kind: 'share',
    sync,
    share: load.budget().parseShare(part),
  }));
  change('priority <scope> <sync> <lane>', 'serves a sync in another lane; "none" for as declared', (sync, lane) => ({
    kind: 'priority',
    sync,
    lane: load.budget().parseLane(lane),
  }));
}

function addProcesses(program: Commander, execute: Execute): void {
  for (const [name, description] of [
    ['worker', 'run a worker in the foreground'],
    ['gateway', 'run the webhook gateway in the foreground'],
  ] as const) {
    program
      .command(name)
      .description(description)
      .action((options: Typed<object>) => execute((context) => load.process().runProcess(context, name, options), options));
  }
}

function withFilter(command: Commander): Commander {
  return command
    .option('--sync <id>', 'of one sync')
    .addOption(new Option('--outcome <outcome>', 'with this outcome; "open" has none yet').choices(outcomeChoices))
    .option('--cause <code>', 'with this cause, e.g. CONTRACT_VIOLATION')
    .option('--since <time>', 'received since: 30m, 1h, 3d, or an ISO 8601 time')
    .option('--key <key>', 'of one record: e-mail address or external id');
}

function examples(...commands: string[]): string {
  return `\nExamples:\n${commands.map((command) => `  npx syncline ${command}`).join('\n')}`;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100_000) throw new InvalidArgumentError('Expected a whole number from 1 to 100000.');
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1_000)) throw new InvalidArgumentError('Expected a number above 0, at most 1000.');
  return value;
}

function oneOf(...choices: string[]): (text: string) => string {
  return (text) => {
    if (!choices.includes(text)) throw new InvalidArgumentError(`Expected one of ${choices.join(', ')}.`);
    return text;
  };
}
