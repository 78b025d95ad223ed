import { main } from '../../client/cli/main';
import { openContext } from '../../client/cli/open';
import { narrowSyncs, type Narrow } from './narrow-syncs';

/** The CLI with the syncs of narrow windows in its registry. */
const syncs = Object.values(narrowSyncs(JSON.parse(process.env['NARROW'] ?? '{}') as Narrow));
void main(process.argv.slice(2), { openContext: (terminal, env) => ({ ...openContext(terminal, env), syncs: () => syncs }) }).then((code) =>
  process.exit(code),
);
