import type { Lane } from '../../schemas/plan';
import { foreignNow, limitNow } from './corrections';
import { countLimit, used } from './counts';
import { unitsInUse } from './demand';
import { outlook } from './forecast';
import type { BudgetState } from './state';

/** A window is used to a large part, or no longer: one message per change of state, plain JSON. */
export interface BudgetAlert {
  /** The same in every copy: who sees it twice drops one. */
  id: string;
  kind: 'high' | 'recovered';
  /** The budget's clock, ISO 8601. */
  at: string;
  window: string;
  windowMs: number;
  /** Units spent by us and by others; of a short window on average over some minutes. */
  used: number;
  limit: number;
  /** At the pace of the last hour of a day: milliseconds until nothing is left; null = not before the window starts anew. */
  spentInMs: number | null;
  /** Milliseconds until a clock-aligned window starts anew. */
  startsAnewMs: number | null;
  /** Who spent most today. */
  spenders: { sync: string; lane: Lane; units: number }[];
  /** It was handed to a worker before, and nobody has said that it was delivered. */
  again?: true;
}

export interface AlertState {
  /** Names of the windows that are high. */
  high: string[];
  /** Use of the short windows on average: 0..1, and when it was last looked at. */
  average: Record<string, [part: number, at: number]>;
  /** Not known to be delivered; oldest first. `until`: nobody else gets it before. */
  pending: (BudgetAlert & { until: number })[];
  count: number;
}

/** From this part on a window is high; below the other it has recovered. */
const highPart = 0.7;
const recoveredPart = 0.65;
/** A short window counts on average over about this time: bulk work may well fill it for a while. */
const averageMs = 5 * 60_000;
/** Nobody asked for so long: nothing was spent meanwhile. */
const silenceMs = 30_000;
/** A worker has so long to deliver an alert; then another gets it, too. */
const deliverMs = 10 * 60_000;
const mostPending = 20;

export function noAlerts(): AlertState {
  return { high: [], average: {}, pending: [], count: 0 };
}

/** Looks at every window; a change of state becomes an alert. */
export function watch(state: BudgetState, now: number): void {
  for (const window of state.counts) {
    const units = used(window) + window.foreign;
    const limit = countLimit(window);
    const part = now < window.closedUntil ? 1 : units / limit;
    const { spentInMs, startsAnewMs } = outlook(window, now, Math.max(0, limit - units));
    judge(state, now, part, { window: window.name, windowMs: window.ms, used: units, limit, spentInMs, startsAnewMs });
  }
  state.slots.forEach((window, index) => {
    if (window.ms === 0) return;
    const limit = limitNow(window, now);
    const part = average(state, window.name, Math.min(1, (unitsInUse(state, index) + foreignNow(window, now)) / window.max), now);
    judge(state, now, part, { window: window.name, windowMs: window.ms, used: Math.round(part * window.max), limit, spentInMs: null, startsAnewMs: null });
  });
  const names = [...state.slots, ...state.counts].map(({ name }) => name);
  state.alerts.high = state.alerts.high.filter((name) => names.includes(name));
}

function average(state: BudgetState, name: string, part: number, now: number): number {
  const [before, at] = state.alerts.average[name] ?? [0, now];
  const passed = now - at;
  const silent = Math.max(0, passed - silenceMs);
  const faded = before * Math.exp(-silent / averageMs);
  const value = faded + (part - faded) * (1 - Math.exp(-(passed - silent) / averageMs));
  state.alerts.average[name] = [Math.round(value * 10_000) / 10_000, now];
  return value;
}

function judge(
  state: BudgetState,
  now: number,
  part: number,
  facts: Pick<BudgetAlert, 'window' | 'windowMs' | 'used' | 'limit' | 'spentInMs' | 'startsAnewMs'>,
): void {
  const { alerts } = state;
  const isHigh = alerts.high.includes(facts.window);
  if (isHigh ? part >= recoveredPart : part < highPart) return;
  alerts.high = isHigh ? alerts.high.filter((name) => name !== facts.window) : [...alerts.high, facts.window];
  const at = new Date(now).toISOString();
  const spenders = [...state.usage].sort((a, b) => b.units - a.units).slice(0, 3);
  alerts.pending.push({
    id: `${facts.window}/${at}/${++alerts.count}`,
    kind: isHigh ? 'recovered' : 'high',
    at,
    ...facts,
    spenders: spenders.map(({ sync, lane, units }) => ({ sync, lane, units })),
    until: 0,
  });
  if (alerts.pending.length > mostPending) alerts.pending.shift();
}

/** What the worker that asks is to deliver. */
export function handOut(state: BudgetState, now: number): BudgetAlert[] {
  return state.alerts.pending.flatMap((alert) => {
    if (alert.until > now) return [];
    const { until, ...message } = alert;
    alert.until = now + deliverMs;
    return [until > 0 ? { ...message, again: true as const } : message];
  });
}

/** Delivered: nobody needs to be told again. */
export function acknowledge(state: BudgetState, ids: readonly string[]): void {
  if (ids.length > 0) state.alerts.pending = state.alerts.pending.filter(({ id }) => !ids.includes(id));
}
