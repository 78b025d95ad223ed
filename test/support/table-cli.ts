import type { WarehouseEngine } from '../../schemas/table';
import { main } from '../../client/cli/main';
import { openContext } from '../../client/cli/open';
import { testTableSyncs } from './table-syncs';

/** The CLI with the test table syncs in its registry. */
const tableSyncs = Object.values(testTableSyncs(process.env['TABLE_ENGINE'] as WarehouseEngine));
void main(process.argv.slice(2), { openContext: (terminal, env) => ({ ...openContext(terminal, env), tableSyncs: () => tableSyncs }) }).then((code) =>
  process.exit(code),
);
