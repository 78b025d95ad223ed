import type { Exit, FunnelView } from '../../sandbox/funnel';
import type { Sandbox } from '../../sandbox/sandbox';
import { sandboxSecrets } from '../../sandbox/environment';
import { sandboxSecret } from '../../../platform/secrets';
import type { Sync } from '../../../syncs/define-sync';
import type { TableSync } from '../../../syncs/define-table-sync';
import { type Cell, pairs, table } from '../output/table';
import { outcomeColour } from '../output/words';
import type { Terminal } from '../terminal';

/** Runs of ours in the Web UI, narrowed by a query of Temporal's visibility. */
export function runListUrl(webUiUrl: string, query: string): string {
  return `${webUiUrl}/namespaces/default/workflows?query=${encodeURIComponent(query)}`;
}

export const allRuns = 'WorkflowType="recordSync"';
export const failedRuns = 'WorkflowType="recordSync" AND ExecutionStatus="Failed"';

/** Where everything is. */
export function addressesText(terminal: Terminal, sandbox: Sandbox): string {
  const simulators = [...sandbox.simulators].map(
    ([vendor, { url }]) => [`${vendor}, simulated`, `${url}/_sim/records  (also /_sim/stats, /_sim/faults)`] as const,
  );
  return pairs(terminal, [
    ...(sandbox.webUiUrl
      ? ([
          ['runs in the Web UI', runListUrl(sandbox.webUiUrl, allRuns)],
          ['… that failed', runListUrl(sandbox.webUiUrl, failedRuns)],
        ] as const)
      : []),
    ['gateway', `${sandbox.gatewayUrl}  (/healthz, /readyz, /metrics)`],
    ['worker metrics', sandbox.metricsUrl],
    ...simulators,
    ['Temporal', sandbox.temporalAddress],
    ['PostgreSQL', sandbox.databaseUrl],
    ...sandbox.warehouses.map(({ name, shown }) => [`warehouse ${name}`, shown] as const),
    ['logs', sandbox.logFolder],
  ]);
}

/** The sandbox's secrets, which are no secrets. */
export function secretsText(terminal: Terminal, syncs: readonly Sync[], tableSyncs: readonly TableSync[]): string {
  return pairs(
    terminal,
    sandboxSecrets(syncs, tableSyncs).map(({ variable, value }) => [variable, value] as const),
  );
}

/** Signs and sends a webhook as Shopify would; to paste into a shell. A new id at each call, so that none is a redelivery. */
export function handSignedWebhook(gatewayUrl: string): string {
  const secret = sandboxSecret('SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET');
  return [
    `body='{"id":1,"email":"you@example.com","first_name":"You","last_name":"Yourself","updated_at":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'"}'; \\`,
    `curl -sS ${gatewayUrl}/webhooks/shop-customer-to-crm -H 'content-type: application/json' \\`,
    `  -H 'x-shopify-topic: customers/update' -H "x-shopify-webhook-id: by-hand-$(date +%s)" \\`,
    `  -H "x-shopify-hmac-sha256: $(printf %s "$body" | openssl dgst -sha256 -hmac ${secret} -binary | base64)" \\`,
    `  -d "$body"`,
  ].join('\n');
}

/** The funnel as a table: per sync and in sum how far events came and by which exits they left, and what stayed at the door. */
export function funnelText(terminal: Terminal, { lines, total, door }: FunnelView): string {
  const { colours } = terminal;
  const columns = [
    { head: 'sync' },
    ...(['received', 'valid', 'mapped', 'delivered', 'open'] as const).map((head) => ({ head, align: 'right' as const })),
    { head: 'left by', shrink: 'end' as const, min: 20 },
  ];
  const rowsOf = (line: FunnelView['total'], name: string): Cell[][] => {
    const [first, ...others] = line.exits.map((exit) => ({ text: exitInWords(exit), colour: outcomeColour(colours, exit.outcome) }));
    const delivered = { text: String(line.delivered), colour: colours.green };
    const open = { text: String(line.open), colour: line.open > 0 ? colours.yellow : colours.dim };
    return [[name, line.received, line.valid, line.mapped, delivered, open, first ?? ''], ...others.map((exit) => ['', '', '', '', '', '', exit])];
  };
  const rows = [...lines.flatMap((line) => rowsOf(line, line.syncId)), ...(lines.length === 1 ? [] : rowsOf(total, 'all'))];
  const atDoor = door.length === 0 ? 'nothing' : door.map(({ reason, count }) => `${count} ${reason}`).join(', ');
  return `${table(terminal, columns, rows, 2)}\n  ${colours.dim('stayed at the door:')} ${atDoor}`;
}

/** The same in one line, for logs. */
export function funnelLine({ total, door }: FunnelView): string {
  const left = [...total.exits.map(exitInWords), ...door.map(({ reason, count }) => `${count} ${reason} at the door`)];
  return `received ${total.received} → valid ${total.valid} → mapped ${total.mapped} → delivered ${total.delivered}, open ${total.open}${left.length > 0 ? `; left by: ${left.join(', ')}` : ''}`;
}

function exitInWords({ outcome, code, count }: Exit): string {
  return `${count} ${outcome}${code === outcome.toUpperCase() ? '' : ` (${code})`}`;
}
