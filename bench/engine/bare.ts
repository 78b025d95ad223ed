/** Process: a bare worker with the SDK's defaults, and the client that starts its workflows. */
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { serveCommands } from '../control';
import { upsertContact } from './bare-activity';
import { customerOf, eventIdOf } from './event';
import { atOnce, atRate } from './pace';

const taskQueue = 'bare';

async function main(): Promise<void> {
  const { TEMPORAL_ADDRESS: address = '', TEMPORAL_NAMESPACE: namespace = '', SYNCLINE_HUBSPOT_MAIN_BASE_URL: url = '' } = process.env;
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    namespace,
    taskQueue,
    workflowsPath: require.resolve('./bare-workflow'),
    activities: { upsertContact: upsertContact(url, process.env.SYNCLINE_HUBSPOT_MAIN_TOKEN ?? '') },
  });
  const client = new Client({ connection: await Connection.connect({ address }), namespace });
  const start = (round: string) => (index: number) =>
    client.workflow.start('bareSync', { taskQueue, workflowId: eventIdOf(round, index), args: [customerOf(round, index)] });

  const control = await serveCommands({
    burst: ({ round, count, width }: { round: string; count: number; width: number }) => atOnce(count, width, start(round)),
    paced: ({ round, count, rate }: { round: string; count: number; rate: number }) => atRate(count, rate, start(round)),
  });
  void worker.run().then(() => process.exit(0));
  process.stdout.write(`${JSON.stringify({ ready: true, name: 'bare', url: control })}\n`);
}

void main();
