import type { RetryPolicy, SyncPlan } from '../../../schemas/plan';
import type { TablePlan } from '../../../schemas/table';
import { compilePlan, type Sync } from '../../../syncs/define-sync';
import { compileTablePlan, type TableSync } from '../../../syncs/define-table-sync';
import { exitCodes } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { pairs, table } from '../output/table';
import { span } from '../output/times';
import { counted } from '../output/words';

/** `syncline syncs`: what is declared, and under which policy it runs. */
export function listSyncs(context: CliContext): Promise<Answer> {
  const [syncs, tables] = [context.syncs(), context.tableSyncs()];
  return Promise.resolve({
    exitCode: exitCodes.ok,
    document: {
      syncs: syncs.map((sync) => ({ ...compilePlan(sync), description: sync.description })),
      tableSyncs: tables.map((sync) => ({ ...compileTablePlan(sync), description: sync.description, schedule: sync.schedule })),
    },
    print: (terminal) => {
      if (syncs.length + tables.length === 0) return terminal.line('No sync is declared yet: add one to syncs/ and list it in syncs/index.ts.');
      const rows = [
        ...syncs.map((sync) => {
          const plan = compilePlan(sync);
          return row(plan, `${plan.source.vendor}/${plan.source.account}`);
        }),
        ...tables.map((sync) => {
          const plan = compileTablePlan(sync);
          return row(plan, `${plan.warehouse.name}: ${plan.source.table ?? 'a query'}`);
        }),
      ];
      terminal.line(
        table(
          terminal,
          [
            { head: 'sync' },
            { head: 'source', shrink: 'middle' },
            { head: 'destination', shrink: 'end' },
            { head: 'lane' },
            { head: 'share', align: 'right' },
            { head: 'owner', shrink: 'end' },
          ],
          rows,
        ),
      );
      const told = [...syncs.map((sync) => ({ sync, lines: details(sync) })), ...tables.map((sync) => ({ sync, lines: tableDetails(sync) }))];
      for (const { sync, lines } of told) {
        terminal.line();
        terminal.line(terminal.colours.bold(sync.id) + (sync.description ? terminal.colours.dim(`  ${sync.description}`) : ''));
        terminal.line(pairs(terminal, lines));
      }
    },
  });
}

type AnyPlan = Pick<SyncPlan & TablePlan, 'syncId' | 'owner' | 'vendor' | 'account' | 'operation' | 'budget'>;

function row({ syncId, owner, vendor, account, operation, budget }: AnyPlan, source: string): string[] {
  const share = budget.share === undefined ? '' : `${Math.round(budget.share * 100)} %`;
  return [syncId, source, `${vendor}/${account} ${operation}`, budget.lane, share, owner];
}

function details(sync: Sync): [string, string][] {
  const { contract, source, retry, resend, mapVersion, maxBatch, enrich } = compilePlan(sync);
  return [
    ['topics', source.topics.join(', ')],
    ['contract', `${contract}, mapping ${mapVersion}`],
    ...(enrich
      ? [['enrichment', `${enrich.name} from ${enrich.vendor}/${enrich.account}, ${span(enrich.timeoutMs)}, else first-party data`] as [string, string]]
      : []),
    ['batches', `up to ${counted(maxBatch, 'record')} a call; a repeat is ${resend}`],
    ['retry', retryWords(retry)],
  ];
}

function tableDetails(sync: TableSync): [string, string][] {
  const { contract, retry, resend, mapVersion, maxBatch, onRemove, source, chunkRows } = compileTablePlan(sync);
  const { schedule } = sync;
  return [
    ['contract', `${contract}, mapping ${mapVersion}`],
    ['key', source.key.join(', ')],
    ...(source.consent === undefined ? [] : [['consent', `column ${source.consent}, and who is not suppressed`] as [string, string]]),
    ['removed rows', onRemove],
    ['schedule', schedule === null ? 'none: npx syncline table run' : (schedule.cron ?? `every ${span(schedule.every ?? 0)}`)],
    [
      'batches',
      `chunks of ${counted(chunkRows, 'row')}, up to ${counted(maxBatch, 'row')} a ${sync.to.operation.kind === 'job' ? 'job' : 'call'}; a repeat is ${resend}`,
    ],
    ['retry', retryWords(retry)],
  ];
}

function retryWords(retry: RetryPolicy): string {
  return `${counted(retry.maxAttempts, 'attempt')}, waits ${span(retry.initialIntervalMs)} to ${span(retry.maxIntervalMs)}, held for at most ${span(retry.expireAfterMs)}`;
}
