import { setTimeout as delay } from 'node:timers/promises';
import type { Queries } from '../../../ledger/port';
import { funnelView, type FunnelView } from '../../sandbox/funnel';
import type { LiveScreen } from '../../sandbox/live-screen';
import type { Terminal } from '../terminal';
import { funnelLine, funnelText } from './start-text';

interface FollowOptions {
  terminal: Terminal;
  screen: LiveScreen;
  queries: Pick<Queries, 'funnel' | 'door'>;
  signal: AbortSignal;
}

const everyMs = 1_000;

/** Shows the funnel until the signal: in place on a terminal, else a line at each change and the table when all has ended. */
export async function followFunnel({ terminal, screen, queries, signal }: FollowOptions): Promise<void> {
  const onEnter = () => screen.enterPressed();
  if (process.stdin.isTTY) process.stdin.on('data', onEnter);
  let tableShown = '';
  for (let unreachable = false; !signal.aborted; await delay(everyMs, undefined, { signal }).catch(() => undefined)) {
    let view: FunnelView;
    try {
      const [funnels, door] = await Promise.all([queries.funnel(), queries.door()]);
      view = funnelView(funnels, door);
      unreachable = false;
    } catch (error) {
      if (!unreachable && !signal.aborted) screen.print(`  The ledger does not answer (${(error as Error).message}); looking again …`);
      unreachable = true;
      continue;
    }
    if (view.total.received === 0 && view.door.length === 0) continue;
    if (process.stdout.isTTY) {
      screen.show(funnelText(terminal, view).split('\n'));
      continue;
    }
    const line = funnelLine(view);
    screen.show([line]);
    // Some samples come a little later: the table is for a state that lasted.
    if (view.total.open === 0 && tableShown !== line) {
      if (tableShown === `pending ${line}`) {
        screen.print(funnelText(terminal, view));
        tableShown = line;
      } else tableShown = `pending ${line}`;
    }
  }
  process.stdin.off('data', onEnter);
}
