import type { WarehouseEngine } from '../../schemas/table';
import { main } from '../../client/cli/main';
import { openContext } from '../../client/cli/open';
import { testTableSyncs, unservedSync } from './table-syncs';

/** The CLI with the test table syncs in its registry, and one more than the worker has. */
const tableSyncs = [...Object.values(testTableSyncs(process.env['TABLE_ENGINE'] as WarehouseEngine)), unservedSync()];
void main(process.argv.slice(2), { openContext: (terminal, env) => ({ ...openContext(terminal, env), tableSyncs: () => tableSyncs }) }).then((code) =>
  process.exit(code),
);
