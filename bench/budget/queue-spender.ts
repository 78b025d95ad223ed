/** Process: Temporal's own rate limit of a task queue (`maxTaskQueueActivitiesPerSecond`), one activity one call. */
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import axios from 'axios';
import http from 'node:http';

const taskQueue = 'rate-limited';

async function main(): Promise<void> {
  const { TEMPORAL_ADDRESS: address = '', TEMPORAL_NAMESPACE: namespace = '', SPENDER_URL: url = '', SPENDER_PER_SECOND: perSecond = '10' } = process.env;
  const connection = await NativeConnection.connect({ address });
  const client = axios.create({
    baseURL: url,
    httpAgent: new http.Agent({ keepAlive: true }),
    headers: { authorization: 'Bearer pat-spender' },
    validateStatus: () => true,
  });
  const spent = { calls: 0, refused: 0 };
  const call = async (): Promise<void> => {
    spent.calls++;
    const { status } = await client.post('/crm/v3/objects/contacts/batch/read', { idProperty: 'email', inputs: [{ id: 'ada@example.com' }], properties: [] });
    if (status === 429) spent.refused++;
  };
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowsPath: require.resolve('./queue-workflow'),
    activities: { call },
    maxTaskQueueActivitiesPerSecond: Number(perSecond),
  });
  await new Client({ connection, namespace }).workflow.start('endless', {
    taskQueue,
    workflowId: 'endless',
    args: [40],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  void worker.run().then(() => process.exit(0));
  process.stdout.write(`${JSON.stringify({ ready: true, name: 'queue-spender' })}\n`);
  process.once('SIGTERM', () => process.exit(0));
}

void main();
