import { WorkflowNotFoundError } from '@temporalio/client';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { TemporalAccess } from '../context';
import { testNow } from './fake-context';

const folder = path.join(__dirname, '..', '..', '..', 'test', 'replay', 'histories');

/**
 * Temporal with one run, whose history was recorded on a real server; none without a name. `underWay`: workflow ids that its
 * index has as running, by the query that asks.
 */
export function recordedTemporal(scenario?: string, underWay: (query: string) => string[] = () => []): TemporalAccess {
  const history = scenario === undefined ? null : historyFromJSON(JSON.parse(readFileSync(path.join(folder, `${scenario}.json`), 'utf8')));
  const client = {
    options: { loadedDataConverter: loadDataConverter({}) },
    workflow: {
      getHandle: (workflowId: string) => ({
        describe: () =>
          history
            ? Promise.resolve({ runId: 'run-1', startTime: new Date(testNow), status: { name: 'COMPLETED' } })
            : Promise.reject(new WorkflowNotFoundError('no such run', workflowId, undefined)),
        fetchHistory: () => Promise.resolve(history),
      }),
      list: ({ query }: { query: string }) =>
        Readable.from(query.includes("ExecutionStatus = 'Running'") ? underWay(query).map((one) => ({ workflowId: one })) : []),
    },
  };
  return { client: client as unknown as TemporalAccess['client'], namespace: 'default', address: 'test:1' };
}
