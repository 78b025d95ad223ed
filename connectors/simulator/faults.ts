import { z } from 'zod';
import { seededRandom } from './random';

const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, z.array(item)]);

/** Which calls a rule is for. All that is given must match; nothing given = every call. */
const match = z.strictObject({
  /** The call is about one of these records (keys in the vendor's normal form). `email` is the same, for readers. */
  key: oneOrMore(z.string()).optional(),
  email: oneOrMore(z.string()).optional(),
  method: z.string().optional(),
  /** Part of the path. */
  path: z.string().optional(),
  /** 1 = the first call that matches the rest. */
  nth: oneOrMore(z.int().min(1)).optional(),
  /** Share of the matching calls, 0..1; the same `seed` chooses the same ones. */
  probability: z.number().min(0).max(1).optional(),
  seed: z.int().optional(),
});

const shared = {
  id: z.string().optional(),
  match: match.default({}),
  /** How often it strikes. @default 1; with `probability` or several `nth` for ever */
  times: z.union([z.int().min(1), z.literal('forever')]).optional(),
};

/** A fault on demand, as `POST /_sim/faults` takes it. */
export const faultInput = z.discriminatedUnion('kind', [
  /** Any status; body: the vendor's documented one unless given. Nothing is applied. */
  z.strictObject({
    ...shared,
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    body: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  /** The vendor's 429 (or its like), whatever the quota says. */
  z.strictObject({ ...shared, kind: z.literal('rateLimit'), limit: z.string().optional(), retryAfter: z.string().optional() }),
  z.strictObject({ ...shared, kind: z.literal('serverError'), status: z.int().min(500).max(599).default(503) }),
  /** Applied, but no answer: never, or after `ms`. */
  z.strictObject({ ...shared, kind: z.literal('timeoutAfterCommit'), ms: z.number().min(0).optional() }),
  /** Not applied, no answer: never, or a 504 after `ms`. */
  z.strictObject({ ...shared, kind: z.literal('timeoutBeforeCommit'), ms: z.number().min(0).optional() }),
  /** The usual answer, nothing stored. */
  z.strictObject({ ...shared, kind: z.literal('lying200') }),
  /** Success by status, empty by content. `commit`: applied all the same. */
  z.strictObject({ ...shared, kind: z.literal('emptyResult'), commit: z.boolean().default(false) }),
  z.strictObject({ ...shared, kind: z.literal('slow'), ms: z.number().min(0) }),
  /** These records of a call are refused, the others written. */
  z.strictObject({
    ...shared,
    kind: z.literal('partial'),
    emails: z.array(z.string()).min(1),
    code: z.string().default('INVALID_EMAIL'),
    message: z.string().optional(),
  }),
  /** The connection is destroyed: before anything is applied, or after with `commit`. */
  z.strictObject({ ...shared, kind: z.literal('reset'), commit: z.boolean().default(false) }),
]);

/** A fault as one writes it. */
export type FaultInput = z.input<typeof faultInput>;
/** A fault in force. */
export type FaultRule = z.output<typeof faultInput> & { id: string };
/** What goes wrong. */
export type FaultKind = FaultRule['kind'];

/** The part of a call that rules look at. */
export interface FaultSubject {
  method: string;
  path: string;
  keys: readonly string[];
}

interface Armed {
  rule: FaultRule;
  left: number;
  matched: number;
  fired: number;
  random: () => number;
}

/** The faults in force. The first rule that matches a call strikes; a rule not chosen by `nth` or luck lets the next one look. */
export class Faults {
  private rules: Armed[] = [];
  private nextId = 1;

  /** Throws `ZodError` on a rule it cannot read. */
  add(input: unknown): FaultRule {
    const parsed = faultInput.parse(input);
    const rule: FaultRule = { ...parsed, id: parsed.id ?? `fault-${this.nextId++}` };
    const open = rule.match.probability !== undefined || Array.isArray(rule.match.nth);
    const times = rule.times ?? (open ? 'forever' : 1);
    this.rules.push({
      rule,
      left: times === 'forever' ? Infinity : times,
      matched: 0,
      fired: 0,
      random: seededRandom(rule.match.seed ?? 1),
    });
    return rule;
  }

  /** The fault that strikes this call, if any. */
  strike(subject: FaultSubject): FaultRule | undefined {
    for (const armed of this.rules) {
      if (armed.left <= 0 || !concerns(armed.rule, subject)) continue;
      armed.matched += 1;
      const { nth, probability } = armed.rule.match;
      if (nth !== undefined && ![nth].flat().includes(armed.matched)) continue;
      if (probability !== undefined && armed.random() >= probability) continue;
      armed.left -= 1;
      armed.fired += 1;
      return armed.rule;
    }
    return undefined;
  }

  list(): { rule: FaultRule; left: number | 'forever'; matched: number; fired: number }[] {
    return this.rules.map(({ rule, left, matched, fired }) => ({ rule, left: left === Infinity ? 'forever' : left, matched, fired }));
  }

  /** Removes one rule, or all. */
  clear(id?: string): void {
    this.rules = id === undefined ? [] : this.rules.filter(({ rule }) => rule.id !== id);
  }
}

function concerns(rule: FaultRule, subject: FaultSubject): boolean {
  const { method, path } = rule.match;
  if (method !== undefined && method.toUpperCase() !== subject.method) return false;
  if (path !== undefined && !subject.path.includes(path)) return false;
  const keys = [rule.match.key ?? [], rule.match.email ?? [], rule.kind === 'partial' ? rule.emails : []].flat();
  const named = new Set(keys.map((key) => key.toLowerCase()));
  return named.size === 0 || subject.keys.some((key) => named.has(key.toLowerCase()));
}
