import { exitCodes } from '../cli-error';
import type { Answer, CliContext } from '../context';
import type { Check, CheckState } from '../doctor/check';
import { budgetChecks } from '../doctor/budget-checks';
import { databaseChecks } from '../doctor/database-checks';
import { localChecks } from '../doctor/local-checks';
import { temporalChecks } from '../doctor/temporal-checks';
import { wrap } from '../output/table';
import { counted } from '../output/words';
import { printable, type Colours, type Terminal } from '../terminal';

/** `syncline doctor`: every part of the installation, what was found, and what to do about it. */
export async function doctor(context: CliContext): Promise<Answer> {
  const { env } = context;
  const [syncs, tableSyncs] = [context.syncs(), context.tableSyncs()];
  const [database, temporal, budgets] = await Promise.all([
    databaseChecks(env),
    temporalChecks(context, syncs, tableSyncs),
    budgetChecks(context, [...syncs, ...tableSyncs]),
  ]);
  const checks = [...localChecks(env, syncs, tableSyncs), ...database, ...temporal, ...budgets];
  const failed = checks.filter(({ state }) => state === 'fail').length;
  return {
    exitCode: failed > 0 ? exitCodes.badNews : exitCodes.ok,
    document: { ok: failed === 0, checks },
    print: (terminal) => printChecks(terminal, checks),
  };
}

function printChecks(terminal: Terminal, checks: readonly Check[]): void {
  const { colours } = terminal;
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const group of new Set(checks.map((check) => check.group))) {
    terminal.line(colours.bold(group));
    for (const check of checks.filter((one) => one.group === group)) printCheck(terminal, check, width);
    terminal.line();
  }
  const count = (state: CheckState) => checks.filter((check) => check.state === state).length;
  const parts = [
    `${counted(checks.length, 'check')}`,
    ...(count('fail') > 0 ? [colours.red(`${count('fail')} failed`)] : ['none failed']),
    ...(count('warn') > 0 ? [colours.yellow(counted(count('warn'), 'warning'))] : []),
    ...(count('unknown') > 0 ? [`${count('unknown')} can’t be told`] : []),
  ];
  terminal.line(parts.join(', '));
}

function printCheck(terminal: Terminal, { name, state, found, fix }: Check, width: number): void {
  const { colours, columns } = terminal;
  const indent = 2 + 4 + 2 + width + 2;
  const [first = '', ...more] = wrap(printable(found), columns - indent);
  terminal.line(`  ${markOf(state, colours)}  ${name.padEnd(width)}  ${first}`.trimEnd());
  for (const line of more) terminal.line(' '.repeat(indent) + line);
  // One line of a fix may be a command to copy: those stand by themselves.
  const advice = fix?.split('\n').flatMap((line) => wrap(line, columns - 12)) ?? [];
  advice.forEach((line, index) => terminal.line(`        ${index === 0 ? colours.dim('→') : ' '} ${line}`));
}

function markOf(state: CheckState, colours: Colours): string {
  switch (state) {
    case 'ok':
      return colours.green('ok  ');
    case 'warn':
      return colours.yellow('warn');
    case 'fail':
      return colours.red('FAIL');
    case 'unknown':
      return colours.dim('?   ');
  }
}
