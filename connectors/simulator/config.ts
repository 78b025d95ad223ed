import { z } from 'zod';
import type { Limit } from '../connector';

/** Settings of a simulator, changeable while it runs (`POST /_sim/config`). */
export const simConfig = z.strictObject({
  /** One of the connector's plans. @default the connector's first */
  plan: z.string().optional(),
  /** `declared`: the connector's limits; `unlimited`; or changes by limit name. */
  limits: z
    .union([z.enum(['declared', 'unlimited']), z.record(z.string(), z.strictObject({ max: z.int().min(0).optional(), ms: z.number().positive().optional() }))])
    .default('declared'),
  /** Factor on every window, so that a test need not wait 10 s. */
  windowScale: z.number().positive().default(1),
  /** Added before each answer, milliseconds; a pair is a range. */
  latencyMs: z.union([z.number().min(0), z.tuple([z.number().min(0), z.number().min(0)])]).default(0),
  /** Tokens accepted; null = any. A login hands out the first: to name another is to let all that were handed out expire. */
  tokens: z.array(z.string()).nullable().default(null),
  /** Client secrets and refresh tokens that a login accepts; null = any. */
  secrets: z.array(z.string()).nullable().default(null),
  /** Properties known beside the vendor's own; `*` = any. */
  properties: z.array(z.string()).default([]),
  /** Send Retry-After with 429 even where the vendor does not. */
  retryAfter: z.enum(['none', 'seconds', 'date']).default('none'),
  /** How long a job of the vendor waits, and again how long it works, milliseconds. */
  jobMs: z.number().min(0).default(100),
  /** Of everything random. */
  seed: z.int().default(1),
});

/** Settings in force. */
export type SimConfig = z.output<typeof simConfig>;
/** Settings as one writes them. */
export type SimConfigInput = z.input<typeof simConfig>;

/** The quotas that `config` makes of the declared ones. Throws on a limit the vendor does not have. */
export function limitsInForce(declared: readonly Limit[], config: SimConfig): Limit[] {
  const changes = typeof config.limits === 'string' ? {} : config.limits;
  const unknown = Object.keys(changes).find((name) => !declared.some((limit) => limit.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no limit "${unknown}"; this vendor has ${declared.map((limit) => limit.name).join(', ')}`);
  }
  return declared.map((limit) => {
    const change = changes[limit.name];
    const max = change?.max ?? limit.max;
    return limit.kind === 'concurrent' ? { ...limit, max } : { ...limit, max, ms: (change?.ms ?? limit.ms) * config.windowScale };
  });
}
