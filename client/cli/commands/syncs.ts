import { compilePlan, type Sync } from '../../../syncs/define-sync';
import { exitCodes } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { pairs, table } from '../output/table';
import { span } from '../output/times';
import { counted } from '../output/words';

/** `syncline syncs`: what is declared, and under which policy it runs. */
export function listSyncs(context: CliContext): Promise<Answer> {
  const syncs = context.syncs();
  return Promise.resolve({
    exitCode: exitCodes.ok,
    document: { syncs: syncs.map((sync) => ({ ...compilePlan(sync), description: sync.description })) },
    print: (terminal) => {
      if (syncs.length === 0) return terminal.line('No sync is declared yet: add one to syncs/ and list it in syncs/index.ts.');
      const rows = syncs.map((sync) => {
        const plan = compilePlan(sync);
        return [
          sync.id,
          `${plan.source.vendor}/${plan.source.account}`,
          `${plan.vendor}/${plan.account} ${plan.operation}`,
          plan.budget.lane,
          plan.budget.share === undefined ? '' : `${Math.round(plan.budget.share * 100)} %`,
          sync.owner,
        ];
      });
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
      for (const sync of syncs) {
        terminal.line();
        terminal.line(terminal.colours.bold(sync.id) + (sync.description ? terminal.colours.dim(`  ${sync.description}`) : ''));
        terminal.line(pairs(terminal, details(sync)));
      }
    },
  });
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
    [
      'retry',
      `${counted(retry.maxAttempts, 'attempt')}, waits ${span(retry.initialIntervalMs)} to ${span(retry.maxIntervalMs)}, held for at most ${span(retry.expireAfterMs)}`,
    ],
  ];
}
