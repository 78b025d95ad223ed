import { Client, Connection } from '@temporalio/client';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { prepareNamespace } from '../../client/sandbox/namespace';
import { createSupervisor, type NodeProcess } from '../../client/sandbox/processes';
import { findTemporalBinary } from '../../client/sandbox/temporal-binary';
import { startTemporal, type TemporalServer } from '../../client/sandbox/temporal-server';
import { freePort } from '../../platform/free-port';
import { budgetWorkflowId } from '../../workflows/ids';
import { budgetQuery, changeBudgetUpdate, type BudgetCommand, type BudgetView } from '../../workflows/messages';

/** What a spender process has done so far. */
export interface Spent {
  calls: number;
  refused: number;
  /** From the wish to call to the vendor's answer. */
  liveMs: number[];
  at: number;
  end?: boolean;
}

export interface Spender {
  process: NodeProcess;
  spent(): Spent;
  /** Stops in good order; the last count. */
  stop(): Promise<Spent>;
}

/** The judge's own counts: what came in, what it refused, the most in any window. */
export interface Judged {
  calls: number;
  refused: number;
  mostInWindow: number;
}

/** A real Temporal server of its own (kept on disk, so that it can be restarted), a HubSpot simulator, processes that spend. */
export interface BudgetStage {
  /** `entry`: another program that spends. */
  spender(env?: Record<string, string>, entry?: string): Promise<Spender>;
  judge(): Promise<Judged>;
  view(): Promise<BudgetView>;
  /** What the budget wrote to its history between two times (ms since the epoch), in all runs of it. */
  written(from: number, to: number): Promise<{ events: number; leases: number }>;
  change(command: BudgetCommand): Promise<BudgetView>;
  restartTemporal(): Promise<void>;
  simUrl: string;
  close(): Promise<void>;
}

export async function startBudgetStage(options: { latencyMs?: string; windowScale?: string } = {}): Promise<BudgetStage> {
  const quiet = (line: string) => void (process.env.SYNCLINE_TEST_LOG && process.stderr.write(`${line}\n`));
  const supervisor = createSupervisor();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'syncline-budget-'));
  const binary = await findTemporalBinary({ log: quiet });
  const port = await freePort();
  const start = () => startTemporal({ binary, port, dbFile: path.join(folder, 'temporal.db'), log: quiet });
  let server: TemporalServer = await start();
  const namespace = 'budget';
  const budgetId = budgetWorkflowId({ vendor: 'hubspot', scope: 'main' });
  const connection = await Connection.connect({ address: server.address });
  await prepareNamespace(connection, { namespace });
  const client = new Client({ connection, namespace });
  const sim = await supervisor.spawnNode({
    name: 'sim-hubspot',
    entry: 'connectors/simulate.ts',
    args: [
      '--vendor',
      'hubspot',
      '--plan',
      'free',
      '--latency-ms',
      options.latencyMs ?? '20-80',
      ...(options.windowScale ? ['--window-scale', options.windowScale] : []),
    ],
    log: quiet,
  });
  const simUrl = String(sim.ready.url);
  return {
    simUrl,
    async spender(env = {}, entry = 'test/support/budget-spender.ts') {
      let last: Spent = { calls: 0, refused: 0, liveMs: [], at: 0 };
      const child = await supervisor.spawnNode({
        name: 'spender',
        entry,
        env: { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: namespace, SPENDER_URL: simUrl, ...env },
        log: (line) => {
          if (line.startsWith('{"calls"')) last = JSON.parse(line) as Spent;
          else quiet(line);
        },
      });
      return {
        process: child,
        spent: () => last,
        async stop() {
          await child.stop();
          return last;
        },
      };
    },
    async judge() {
      const stats = (await (await fetch(`${simUrl}/_sim/stats`)).json()) as any;
      const limits: any[] = Object.values(stats.windows).flat();
      const burst = limits.filter(({ name }) => name === 'TEN_SECONDLY_ROLLING');
      return { calls: stats.calls, refused: stats.byStatus['429'] ?? 0, mostInWindow: Math.max(...burst.map(({ maxArrived }) => Number(maxArrived))) };
    },
    view: () => client.workflow.getHandle(budgetId).query(budgetQuery, { nowMs: Date.now() }),
    async written(from, to) {
      let [events, leases] = [0, 0];
      for await (const { runId } of client.workflow.list({ query: `WorkflowId = "${budgetId}"` })) {
        const history = await client.workflow.getHandle(budgetId, runId).fetchHistory();
        for (const event of history.events ?? []) {
          const at = Number(event.eventTime?.seconds) * 1_000 + Number(event.eventTime?.nanos) / 1_000_000;
          if (at < from || at >= to) continue;
          events++;
          if (event.workflowExecutionUpdateAcceptedEventAttributes) leases++;
        }
      }
      return { events, leases };
    },
    change: (command) => client.workflow.getHandle(budgetId).executeUpdate(changeBudgetUpdate, { args: [command] }),
    async restartTemporal() {
      await server.stop();
      await delay(500);
      server = await start();
    },
    async close() {
      await supervisor.stopAll();
      await connection.close();
      await server.kill();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
