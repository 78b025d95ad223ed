import type { TableRunView } from '../../schemas/table';
import { progressLine, troubleLines, type RunFound } from './output/table-run-text';
import { goesOn, type RunTrouble } from './table-trouble';

/** Without progress for so long, the reason is asked for, milliseconds. */
export const stalledMs = 10_000;

/** A run that was told to end is counted in moments where somebody works for it: the reason is asked for sooner, milliseconds. */
const endingMs = 2_000;

/** What did not change is said again after this, milliseconds. */
const repeatMs = 30_000;

/** What is needed to watch a run; tests pass their own. */
export interface Watched {
  view: () => Promise<TableRunView>;
  /** The server says that it is under way. */
  isOpen: () => Promise<boolean>;
  /** Why it does not go on; null = a worker is at it. */
  stall: (view: TableRunView) => Promise<RunTrouble | null>;
  note: (text: string) => void;
  now: () => number;
  /** Until the next look. */
  wait: () => Promise<unknown>;
}

/** Until the run ends, or somebody has to decide. Says how far it is, whenever that changes. */
export async function watchRun({ view: look, isOpen, stall, note, now, wait }: Watched): Promise<TableRunView> {
  let [runningSince, place, movedAt, askedAt, said, saidAt] = [0, '', now(), 0, '', 0];
  let trouble: RunTrouble | null = null;
  for (;;) {
    const view = await look();
    if (view.state === 'running' && runningSince === 0) runningSince = now();
    if (!goesOn(view)) return view;
    if (!(await isOpen())) return look();
    const here = `${view.state} ${view.ended} ${view.chunksEnded}`;
    if (here !== place) {
      [place, movedAt, trouble] = [here, now(), null];
    } else if (now() - movedAt >= stalledMs && now() - askedAt >= stalledMs) {
      trouble = await stall(view);
      askedAt = now();
    }
    const news = [here, view.held[0]?.cause, trouble?.code].join(' ');
    if (news !== said || now() - saidAt >= repeatMs) {
      note([progressLine(view, now() - runningSince), ...(trouble ? troubleLines(trouble) : [])].join('\n'));
      [said, saidAt] = [news, now()];
    }
    await wait();
  }
}

/** Until a run that was told to end has ended; or nobody is there who could end it, and why. Says from time to time that it is not over. */
export async function watchEnd({ view: look, isOpen, stall, note, now, wait }: Watched): Promise<RunFound> {
  let [place, movedAt, askedAt, saidAt] = ['', now(), -Infinity, now()];
  while (await isOpen()) {
    const view = await look();
    const here = `${view.state} ${view.ended} ${view.chunksEnded}`;
    if (here !== place) {
      [place, movedAt] = [here, now()];
    } else if (now() - movedAt >= endingMs && now() - askedAt >= stalledMs) {
      const trouble = await stall(view);
      if (trouble?.code === 'no-worker') return { view, trouble: { ...trouble, why: `it was asked to end, and nobody is there to do it: ${trouble.why}` } };
      askedAt = now();
    }
    if (now() - saidAt >= repeatMs) {
      note(`ending: ${progressLine(view, 0)}`);
      saidAt = now();
    }
    await wait();
  }
  return { view: await look(), trouble: null };
}
