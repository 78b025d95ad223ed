import type { CountReply } from '../../workflows/budget/protocol';
import type { Group } from './demand';

/** What one process has leased of one long window. Monotonic milliseconds. */
export class CountStock {
  left = 0;
  /** Since the term began. */
  spent = 0;
  private closedUntil = 0;
  /** What bulk lanes may take before they come to what is kept for live records and shares; `shared`: of syncs with a share. */
  private bulkLeft = Infinity;
  private shared = new Map<string, number>();
  private bulkClosedUntil = 0;

  constructor(readonly name: string) {}

  readyAt(now: number, units: number, who: Pick<Group, 'lane' | 'sync'>): number {
    const keptFromIt = this.leftFor(who) < units;
    if (this.left >= units && !keptFromIt) return now;
    const until = Math.max(this.left < units ? this.closedUntil : 0, keptFromIt ? this.bulkClosedUntil : 0);
    return until > now ? until : Infinity;
  }

  /** The budget said that nothing is left until then; known without a lease, too. `who`: for bulk that may be sooner. */
  shutUntil(now: number, who?: Pick<Group, 'lane' | 'sync'>): number {
    const until = who && this.leftFor(who) <= 0 ? this.bulkClosedUntil : now;
    return this.left > 0 ? Math.max(now, until) : Math.max(now, until, this.closedUntil);
  }

  /** All that was leased is spent, and nobody said that no more is to be had. */
  ranOut(now: number): boolean {
    return this.left <= 0 && now >= this.closedUntil;
  }

  /** Asked for nobody in particular (`''`), the sync that may take most speaks for all. */
  private leftFor({ lane, sync }: Pick<Group, 'lane' | 'sync'>): number {
    if (lane === 'live') return Infinity;
    return sync === '' ? Math.max(this.bulkLeft, ...this.shared.values()) : (this.shared.get(sync) ?? this.bulkLeft);
  }

  take(units: number): void {
    this.move(-units);
  }

  giveBack(units: number): void {
    this.move(units);
  }

  /** Whoever takes it: what is kept is kept of the rest. */
  private move(units: number): void {
    this.left += units;
    this.spent -= units;
    this.bulkLeft += units;
    for (const [sync, left] of this.shared) this.shared.set(sync, left + units);
  }

  /** What is over `keep` goes back with the next request. `since`: spent since the request was sent, which the budget does not know of. */
  apply({ grant, keep, closedMs, bulk }: Omit<CountReply, 'name'>, fresh: boolean, now: number, since = 0): void {
    if (fresh) this.left = this.spent = 0;
    this.left = Math.min(this.left, keep) + grant;
    this.closedUntil = now + closedMs;
    this.bulkLeft = bulk ? bulk.left - since : Infinity;
    this.shared = new Map(Object.entries(bulk?.shared ?? {}).map(([sync, left]) => [sync, left - since]));
    this.bulkClosedUntil = now + (bulk?.closedMs ?? 0);
  }
}
