import { Option, type Command as Commander } from 'commander';
import type * as TableModule from './commands/table';
import type { Execute } from './program';

type Typed<O> = O & { json?: boolean };

/** `table …`, `approve` and `reject`. */
export function addTable(program: Commander, { execute, load }: { execute: Execute; load: () => typeof TableModule }): void {
  const table = program.command('table').description('runs of table syncs: start, watch, cancel');
  // `--json` may stand before or behind the command's own words.
  const optionsOf = <O>(args: unknown[]): Typed<O> => (args.at(-1) as Commander).optsWithGlobals();
  table
    .command('run <sync>')
    .description('compare the rows with what landed and send what differs')
    .option('--full', 'send every row, though it did not change')
    .option('--retry-rejected', 'try rows again that were refused and did not change since')
    .option('--backfill', 'in the backfill lane: everything else goes first')
    .option('--no-wait', 'start it, and don’t watch')
    .action((sync: string, ...rest: unknown[]) => {
      const options = optionsOf<TableModule.RunOptions>(rest);
      return execute((context) => load().runTable(context, sync, options), options);
    });
  table
    .command('status [sync]')
    .description('the run under way, or the last one')
    .action((sync: string | undefined, ...rest: unknown[]) => execute((context) => load().tableStatus(context, sync), optionsOf(rest)));
  table
    .command('debts [sync]')
    .description('what is owed: rows the vendor refused, and people who should have left; with the reason and since when')
    .action((sync: string | undefined, ...rest: unknown[]) => execute((context) => load().tableDebts(context, sync), optionsOf(rest)));
  table
    .command('cancel <sync>')
    .description('end the run: what is in flight is finished and booked, the rest is counted as not attempted')
    .action((sync: string, ...rest: unknown[]) => execute((context) => load().cancelTable(context, sync), optionsOf(rest)));
  for (const command of table.commands) command.addOption(new Option('--json', 'print one JSON document'));
  for (const decision of ['approve', 'reject'] as const) {
    program
      .command(`${decision} <run>`)
      .description(decision === 'approve' ? 'let a run go on that waits for a word' : 'end a run that waits for a word; nothing of it is sent')
      .requiredOption('--reason <text>', 'why; it is kept with the run')
      .action((run: string, options: Typed<{ reason: string }>) => execute((context) => load().decideRun(context, run, decision, options.reason), options));
  }
}
