import type { TableRunView } from '../../../schemas/table';
import { sampleTableView } from '../../../test/support/sample-table-run';
import { testTableSyncs } from '../../../test/support/table-syncs';
import type { TemporalAccess } from '../context';
import { main } from '../main';
import { fakeContext, recordedTerminal } from '../testing/fake-context';

const { people } = testTableSyncs('postgres');

/** A server with one run: it answers with `view`, unless that is an error, and ends when it is cancelled. */
function server(view: TableRunView | Error, calls: string[] = []) {
  let status = 'RUNNING';
  const handle = {
    workflowId: 'people-to-crm/run',
    describe: async () => ({ status: { name: status } }),
    query: async () => {
      if (view instanceof Error) throw view;
      return status === 'RUNNING' ? view : { ...view, state: 'cancelled' };
    },
    cancel: async () => {
      calls.push('cancel');
      if (!(view instanceof Error)) status = 'CANCELED';
    },
  };
  const client = { workflow: { getHandle: () => handle } };
  return { client: client as unknown as TemporalAccess['client'], namespace: 'test', address: 'test:1' };
}

async function syncline(temporal: TemporalAccess, ...args: string[]) {
  const terminal = recordedTerminal();
  const code = await main(args, { terminal, env: {}, openContext: () => fakeContext(terminal, { temporal, tableSyncs: [people] }) });
  return { code, out: terminal.out.join('\n'), err: terminal.err.join('\n') };
}

describe('table cancel', () => {
  const closing = sampleTableView({ syncId: 'people-to-crm', state: 'closing' });

  test('says at once what was asked for; the answer is one document', async () => {
    const { code, out, err } = await syncline(server(closing), 'table', 'cancel', 'people-to-crm', '--json');
    expect({ code, document: JSON.parse(out) }).toMatchObject({ code: 0, document: { run: { state: 'cancelled' } } });
    expect(err).toBe('the run of people-to-crm is asked to end: what is in flight is finished and booked first');
  });

  test('no worker answers at all: unreachable, and the cancellation is not lost', async () => {
    const calls: string[] = [];
    const { code, out, err } = await syncline(server(new Error('no poller'), calls), 'table', 'cancel', 'people-to-crm', '--json');
    expect({ code, calls }).toEqual({ code: 3, calls: ['cancel'] });
    expect(err).toMatch(/does not answer; it was asked to end, and does so once a worker is there[\s\S]+next: +is a worker running/);
    expect(JSON.parse(out)).toMatchObject({ error: { exitCode: 3 } });
  });
});
