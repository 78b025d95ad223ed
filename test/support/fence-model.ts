import { type Ask, decide, type Decision, type FenceState, type OpenCall, type Order, orderOf } from '../../ledger/decide';

// A model of what the fence is for: runs that claim, send, crash and come back in any order, and a vendor that does what
// it is told. Whatever stands behind `ModelFence` must keep the two promises that `runSchedule` checks.

export const CLAIM_MS = 60_000;

/** One run that wants its version of the record at the vendor. */
export interface Actor {
  workflowId: string;
  at: number;
  mapVersion: number;
  fields: string[];
}

/** A step of a schedule; `actor` and `call` are taken modulo what there is. A crash is a call that no later step names. */
export type Step = { do: 'claim'; actor: number } | { do: 'send' | 'confirm' | 'refuse'; call: number } | { do: 'advance'; ms: number };

export type Claimed = { kind: 'claimed'; claim: number; ambiguous: boolean; dropFields: string[] };
export type Answer = Claimed | { kind: 'superseded' } | { kind: 'landed' } | { kind: 'wait' };

/** The fence of one record. */
export interface ModelFence {
  claim(ask: Ask): Promise<Answer>;
  confirm(ask: Ask, claim: number, landed: boolean): Promise<void>;
  advance(ms: number): Promise<void>;
}

interface Call {
  actor: Actor;
  ask: Ask;
  claim: number;
  fields: string[];
  ambiguous: boolean;
  deadline: number;
  state: 'claimed' | 'sent' | 'refused';
  confirmed: boolean;
}

const universe = ['a', 'b', 'c'];

/** Runs the steps, then lets every run come back until it has ended. Returns every answer; throws when a promise is broken. */
export async function runSchedule(fence: ModelFence, actors: Actor[], steps: Step[]): Promise<Answer[]> {
  const calls: Call[] = [];
  const answers: Answer[] = [];
  const vendor = new Map<string, Order>();
  const undeclared = new Map<string, number>();
  const ended = new Set<Actor>();
  const refused = new Set<Actor>();
  let now = 0;

  const claim = async (actor: Actor) => {
    if (ended.has(actor)) return;
    const ask: Ask = { version: { at: actor.at, arrival: 0 }, mapVersion: actor.mapVersion, fields: actor.fields, workflowId: actor.workflowId };
    const answer = await fence.claim(ask);
    answers.push(answer);
    if (answer.kind === 'superseded' || answer.kind === 'landed') ended.add(actor);
    if (answer.kind !== 'claimed') return;
    const fields = actor.fields.filter((field) => !answer.dropFields.includes(field));
    if (fields.length === 0) throw new Error('claimed with nothing left to send');
    const call: Call = {
      actor,
      ask: { ...ask, fields },
      claim: answer.claim,
      fields,
      ambiguous: answer.ambiguous,
      deadline: now + CLAIM_MS,
      state: 'claimed',
      confirmed: false,
    };
    calls.push(call);
    return call;
  };
  const send = (call: Call) => {
    if (call.state !== 'claimed' || now >= call.deadline) return;
    call.state = 'sent';
    const order = orderOf(call.ask);
    for (const field of call.fields.includes('*') ? universe : call.fields) {
      const there = vendor.get(field);
      if (there && isOlder(order, there)) throw new Error(`older ${order.join('/')} overwrote newer ${there.join('/')} in ${field}`);
      vendor.set(field, order);
    }
    if (call.ambiguous) return;
    const landings = (undeclared.get(order.join()) ?? 0) + 1;
    undeclared.set(order.join(), landings);
    if (landings > 1) throw new Error(`${order.join('/')} landed ${landings} times, not declared ambiguous`);
  };
  const confirm = async (call: Call) => {
    if (call.state === 'claimed') return;
    await fence.confirm(call.ask, call.claim, call.state === 'sent');
    call.confirmed = true; // and yet its run may have crashed before it was told: it ends when it hears 'landed'
  };

  for (const step of steps) {
    if (step.do === 'advance') {
      now += step.ms;
      await fence.advance(step.ms);
    } else if (step.do === 'claim') {
      await claim(actors[step.actor % actors.length] as Actor);
    } else {
      const call = calls[step.call % calls.length];
      if (!call) continue;
      if (step.do === 'send') send(call);
      if (step.do === 'refuse' && call.state === 'claimed' && now < call.deadline) {
        call.state = 'refused';
        ended.add(call.actor);
        refused.add(call.actor);
      }
      if (step.do !== 'send') await confirm(call);
    }
  }

  for (let round = 0; round < 3 * actors.length && ended.size < actors.length; round++) {
    now += CLAIM_MS + 1;
    await fence.advance(CLAIM_MS + 1);
    for (const actor of actors) {
      const call = await claim(actor);
      if (!call) continue;
      send(call);
      await confirm(call);
    }
  }
  // A run that ended with a call whose fate is unknown never comes back to tell: older versions wait for it in vain, as
  // they must, since it may have landed.
  const silent = calls.filter((call) => !call.confirmed && ended.has(call.actor));
  const stuck = actors.filter((actor) => !ended.has(actor) && !silent.some((call) => isOlder(orderOf(askOf(actor)), orderOf(call.ask))));
  if (stuck.length > 0) throw new Error(`${stuck[0]?.workflowId} never ended`);
  for (const actor of actors) {
    if (refused.has(actor) || !ended.has(actor)) continue;
    for (const field of actor.fields) {
      if (field === '*') continue; // may end superseded by a newer version of a part of the record
      const there = vendor.get(field);
      if (!there || isOlder(there, orderOf(askOf(actor)))) throw new Error(`${field} of ${actor.workflowId} was lost`);
    }
  }
  return answers;
}

function askOf(actor: Actor): Pick<Ask, 'version' | 'mapVersion'> {
  return { version: { at: actor.at, arrival: 0 }, mapVersion: actor.mapVersion };
}

function isOlder(a: Order, b: Order): boolean {
  return (a[0] - b[0] || a[1] - b[1] || a[2] - b[2]) < 0;
}

/** The fence in memory: decisions by `decider`, landings as ledger/fence-confirm.ts merges them in SQL. */
export function memoryFence(decider: (state: FenceState, ask: Ask, nowMs: number) => Decision = decide): ModelFence {
  let state: FenceState = { landed: null, olderFields: {}, openCalls: [] };
  let now = 0;
  let claims = 0;
  return {
    async claim(ask) {
      const decision = decider(state, ask, now);
      if (decision.kind !== 'claim') return decision;
      const { ambiguous, dropFields, keep } = decision;
      const fields = ask.fields.filter((field) => !dropFields.includes(field));
      const call: OpenCall = { claim: ++claims, workflowId: ask.workflowId, order: orderOf(ask), fields, untilMs: now + CLAIM_MS };
      state = { ...state, openCalls: [...keep, call] };
      return { kind: 'claimed', claim: claims, ambiguous, dropFields };
    },
    async confirm(ask, claim, landed) {
      const openCalls = state.openCalls.filter((call) => call.claim !== claim);
      state = landed ? { ...land(state, orderOf(ask), ask.fields), openCalls } : { ...state, openCalls };
    },
    async advance(ms) {
      now += ms;
    },
  };
}

function land({ landed, olderFields, openCalls }: FenceState, order: Order, fields: readonly string[]): FenceState {
  const at = (names: readonly string[], value: Order) => Object.fromEntries(names.map((name) => [name, value]));
  const without = (older: Readonly<Record<string, Order>>) =>
    fields.includes('*') ? {} : Object.fromEntries(Object.entries(older).filter(([name]) => !fields.includes(name)));
  const mine = { order, fields, vendorId: null, reopened: false };
  if (!landed) return { landed: mine, olderFields: {}, openCalls };
  if (isOlder(landed.order, order)) return { landed: mine, olderFields: without({ ...olderFields, ...at(landed.fields, landed.order) }), openCalls };
  if (!isOlder(order, landed.order)) {
    return { landed: { ...landed, fields: [...new Set([...landed.fields, ...fields])] }, olderFields: without(olderFields), openCalls };
  }
  if (landed.fields.includes('*')) return { landed, olderFields, openCalls };
  const raised = fields.filter((name) => !landed.fields.includes(name) && (!olderFields[name] || isOlder(olderFields[name], order)));
  return { landed, olderFields: { ...olderFields, ...at(raised, order) }, openCalls };
}
