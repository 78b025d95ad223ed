import type { OffPeak } from '../../schemas/off-peak';
import type { BudgetCommand, BudgetLimit, LeaseRequest } from './protocol';
import { offPeakAt } from './off-peak';
import { laneOrder } from './shares';

/** Throws what is wrong with a request, in words for the log of the worker that sent it. Synchronous, as validators must be. */
export function checkLease(request: LeaseRequest): void {
  if (typeof request?.worker !== 'string' || request.worker === '') throw new Error('lease request: worker is missing');
  for (const field of ['term', 'seq', 'ack'] as const) whole(`lease request: ${field}`, request[field]);
  if (request.limits) checkLimits(request.limits);
  if (request.shares) checkShares(request.shares);
  if (request.offPeak) checkOffPeak(request.offPeak);
  for (const { name, holding } of request.slots) whole(`lease request: slots held of ${name}`, holding);
  for (const { name, left, spent } of request.counts) {
    whole(`lease request: units left of ${name}`, left);
    whole(`lease request: units spent of ${name}`, spent);
  }
  for (const { answered, failed } of request.calls ?? []) {
    whole('lease request: calls answered', answered);
    whole('lease request: calls failed', failed);
  }
  for (const group of request.demand) {
    if (!laneOrder.includes(group.lane))
      throw new Error(`lease request: lane "${String(group.lane)}" of ${group.sync}; expected one of ${laneOrder.join(', ')}`);
    whole(`lease request: calls of ${group.sync} waiting`, group.waiting);
    whole(`lease request: cost of a call of ${group.sync}`, group.cost ?? 1);
    for (const used of group.used) whole(`lease request: units used by ${group.sync}`, used);
  }
}

/** Limits of one scope: names once, whole numbers above 0. */
export function checkLimits(limits: readonly BudgetLimit[]): void {
  const names = new Set<string>();
  for (const limit of limits) {
    if (names.has(limit.name)) throw new Error(`limit ${limit.name} is declared twice`);
    names.add(limit.name);
    if (!(Number.isInteger(limit.max) && limit.max > 0)) throw new Error(`limit ${limit.name} has max ${limit.max}; expected a whole number above 0`);
    if (limit.kind !== 'concurrent' && !(limit.ms > 0)) throw new Error(`limit ${limit.name} has a window of ${limit.ms} ms; expected more than 0`);
  }
}

/** Hours of an account: `schemas/off-peak.ts` says what is wrong where they are declared; here nothing wrong may get in. */
function checkOffPeak(hours: OffPeak): void {
  try {
    if (!Number.isFinite(offPeakAt(hours, 0).changeMs) || !Array.isArray(hours.lanes)) throw new Error('no hours');
  } catch {
    throw new Error(`lease request: off-peak hours ${hours.from}-${hours.to} ${hours.timeZone} cannot be read`);
  }
}

/** Guaranteed shares of one scope. */
export function checkShares(shares: Readonly<Record<string, number>>): void {
  for (const [sync, share] of Object.entries(shares)) {
    if (!(share > 0 && share <= 1)) throw new Error(`share of ${sync} is ${share}; expected more than 0 and at most 1`);
  }
  const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
  if (total > 1 + 1e-9) {
    const parts = Object.entries(shares).map(([sync, share]) => `${sync} ${share}`);
    throw new Error(`guaranteed shares sum to ${Math.round(total * 1000) / 1000}, more than 1: ${parts.join(', ')}`);
  }
}

/** An operator's change, against the shares in force. */
export function checkCommand(command: BudgetCommand, shares: Readonly<Record<string, number>>): void {
  switch (command.kind) {
    case 'pause':
    case 'resume':
      if (!/^(all|sync:.+|lane:(live|scheduled|backfill|replay))$/.test(command.what)) {
        throw new Error(`"${command.what}" cannot be paused; expected all, sync:<id>, or lane:<${laneOrder.join('|')}>`);
      }
      return;
    case 'share':
      if (command.share === null) return;
      return checkShares({ ...shares, [command.sync]: command.share });
    case 'priority':
      if (command.lane !== null && !laneOrder.includes(command.lane))
        throw new Error(`lane "${String(command.lane)}"; expected one of ${laneOrder.join(', ')}`);
      return;
    default:
      throw new Error('unknown change of a budget');
  }
}

function whole(what: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 0)) throw new Error(`${what}: ${String(value)}; expected a whole number of at least 0`);
}
