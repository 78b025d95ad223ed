import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import type { Limit } from './connector';
import { addAdminRoutes } from './simulator/admin';
import { limitsInForce, simConfig, type SimConfig, type SimConfigInput } from './simulator/config';
import { Faults, type FaultInput, type FaultRule } from './simulator/faults';
import { Limiter, type LimitStats } from './simulator/limiter';
import { seededRandom } from './simulator/random';
import { SimRecords, type SimRecord } from './simulator/records';
import { Stats, tokenName, type CallStats } from './simulator/stats';
import type { RefusedRecord, SimAnswer, SimRequest, SimRoute, SimulatedVendor } from './simulator/types';

/** Everything `GET /_sim/stats` tells. */
export interface SimulatorStats extends CallStats {
  vendor: string;
  /** Since the start or the last reset, milliseconds. */
  sinceMs: number;
  /** Quotas by token; `maxAccepted` is the most calls let through in any one window. */
  windows: Record<string, LimitStats[]>;
  /** `identical` = writes that changed nothing: what a duplicate delivery looks like. */
  records: { records: number; writes: number; created: number; identical: number; removed: number };
}

/** A running or startable simulator. */
export interface Simulator {
  /** Listens; port 0 = any free one. */
  listen(options?: { port?: number; host?: string }): Promise<{ url: string; port: number }>;
  close(): Promise<void>;
  /** Changes settings; what is not given stays. */
  configure(change: Partial<SimConfigInput>): SimConfig;
  addFault(fault: FaultInput): FaultRule;
  clearFaults(id?: string): void;
  faults(): ReturnType<Faults['list']>;
  stats(): SimulatorStats;
  records(): SimRecord[];
  /** Forgets records, counts, windows and faults; settings stay. */
  reset(): void;
}

interface CallState {
  now: number;
  requestId: string;
  token: string;
  limiter: Limiter;
  limits: readonly Limit[];
}

const forever = new Promise<never>(() => undefined);

/**
 * A vendor as a real HTTP server: quotas enforced strictly by arrival time, faults on demand, everything counted. The vendor
 * brings its endpoints and its words; see {@link SimulatedVendor}. Control is under `/_sim/` (`simulator/admin.ts`).
 */
export function createSimulator(vendor: SimulatedVendor, initial: SimConfigInput = {}): Simulator {
  const app = Fastify({ logger: false, bodyLimit: vendor.maxBodyBytes ?? 10 * 1024 * 1024, forceCloseConnections: true, keepAliveTimeout: 5_000 });
  const stats = new Stats();
  const records = new SimRecords();
  const faults = new Faults();
  const calls = new WeakMap<FastifyRequest, CallState>();
  /** By token, then by quota. */
  const limiters = new Map<string, Map<string | undefined, Limiter>>();
  const memory = new Map<string, unknown>();
  const quotas = [...new Set([undefined, ...vendor.routes.map(({ quota }) => quota)])];
  let config = simConfig.parse(initial);
  let limits = new Map<string | undefined, Limit[]>();
  let random = seededRandom(config.seed);
  let since = performance.now();

  /** Monotonic, so that a clock step moves no window. */
  const clock = (): number => performance.timeOrigin + performance.now();

  const apply = (next: SimConfig): void => {
    const changed = new Map(quotas.map((quota) => [quota, limitsInForce(vendor.limits(next.plan, quota), next)]));
    const windowsStay = JSON.stringify([[...limits], config.limits]) === JSON.stringify([[...changed], next.limits]);
    if (!windowsStay) limiters.clear();
    if (next.seed !== config.seed) random = seededRandom(next.seed);
    limits = changed;
    config = next;
  };
  apply(config);

  const limiterOf = (token: string, quota: string | undefined): Limiter => {
    const mine = limiters.get(token) ?? new Map<string | undefined, Limiter>();
    limiters.set(token, mine);
    let limiter = mine.get(quota);
    if (!limiter) mine.set(quota, (limiter = new Limiter(limits.get(quota)!, config.limits !== 'unlimited', quota)));
    return limiter;
  };

  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    call: CallState,
    what: SimAnswer,
    note: { limitedBy?: string; kind?: FaultRule['kind'] } = {},
  ): Promise<FastifyReply> => {
    const [low, high] = typeof config.latencyMs === 'number' ? [config.latencyMs, config.latencyMs] : config.latencyMs;
    if (high > 0) await delay(low + (high - low) * random());
    if (request.raw.socket.destroyed) return unanswered(reply, call, note.kind);
    stats.ended({ token: call.token, status: what.status, ...note });
    void reply.code(what.status).headers({ ...vendor.headers(call.limiter.remaining(call.now), call.requestId, what.status), ...what.headers });
    if (typeof what.body === 'object' && what.body !== null) {
      if (!reply.hasHeader('content-type')) void reply.type('application/json');
      return reply.send(JSON.stringify(what.body));
    }
    return reply.send(what.body);
  };

  const unanswered = (reply: FastifyReply, call: CallState, kind: FaultRule['kind'] | undefined): FastifyReply => {
    stats.ended({ token: call.token, status: 'none', ...(kind ? { kind } : {}) });
    return reply.hijack();
  };

  const limited = (limit: Limit, call: CallState, retryAfter?: string): SimAnswer => {
    const base = vendor.limited(limit, call.requestId);
    const waitMs = limit.kind === 'concurrent' ? 1_000 : limit.ms;
    const header =
      retryAfter ??
      (config.retryAfter === 'seconds'
        ? String(Math.ceil(waitMs / 1000))
        : config.retryAfter === 'date'
          ? new Date(Date.now() + waitMs).toUTCString()
          : undefined);
    return header === undefined ? base : { ...base, headers: { ...base.headers, 'retry-after': header } };
  };

  app.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith('/_sim/')) return;
    const now = clock();
    const headers = request.headers as Record<string, string | undefined>;
    const token = vendor.token(headers);
    const { quota, open = false } = request.routeOptions.config as { quota?: string; open?: boolean };
    // Where tokens come from nothing is counted, and headers tell of no quota.
    const limiter = open ? new Limiter([], false) : limiterOf(token ?? '', quota);
    const call: CallState = { now, requestId: randomUUID(), token: token ?? '', limiter, limits: limits.get(quota)! };
    calls.set(request, call);
    stats.arrived(request.method, request.routeOptions.url ?? '(no such path)', call.token);
    if (open) return undefined;
    if (token === null || (config.tokens !== null && !config.tokens.includes(token))) {
      return answer(request, reply, call, vendor.failure(401, call.requestId));
    }
    const refusing = call.limiter.arrive(now);
    if (refusing) return answer(request, reply, call, limited(refusing, call), { limitedBy: refusing.name });
    reply.raw.once('close', () => call.limiter.leave());
    return undefined;
  });

  const perform = async (route: SimRoute, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const call = calls.get(request)!;
    const parts = { params: request.params as Record<string, string>, query: request.query as Record<string, string>, body: request.body };
    const path = request.url.split('?', 1)[0]!;
    const rule = faults.strike({ method: request.method, path: decodeURIComponent(path), keys: route.keys?.(parts) ?? [] });
    const refused = new Map<string, RefusedRecord>();
    const sim = (keep: boolean): SimRequest => ({
      ...parts,
      headers: request.headers as Record<string, string | undefined>,
      now: call.now,
      requestId: call.requestId,
      token: call.token,
      refused,
      config,
      write: (collection, key, properties) => records.write(collection, key, properties, { at: clock(), requestId: call.requestId, keep }),
      find: (collection, key) => records.find(collection, key),
      findById: (collection, id) => records.findById(collection, id),
      remove: (collection, key) => (keep ? records.remove(collection, key) : records.find(collection, key) !== undefined),
      memory,
    });
    const handled = (): SimAnswer => route.handle(sim(true));
    if (!rule) return answer(request, reply, call, handled());
    const note = { kind: rule.kind };
    const hold = async (ms: number | undefined, late: SimAnswer): Promise<FastifyReply> => {
      if (ms === undefined) {
        unanswered(reply, call, rule.kind);
        return forever;
      }
      await delay(ms);
      return answer(request, reply, call, late, note);
    };
    switch (rule.kind) {
      case 'status': {
        const base = vendor.failure(rule.status, call.requestId);
        const headers = { ...base.headers, ...rule.headers };
        return answer(request, reply, call, { status: rule.status, headers, body: rule.body === undefined ? base.body : rule.body }, note);
      }
      case 'rateLimit': {
        const limit = call.limits.find(({ name }) => name === rule.limit) ?? call.limits[0]!;
        return answer(request, reply, call, limited(limit, call, rule.retryAfter), note);
      }
      case 'serverError':
        return answer(request, reply, call, vendor.failure(rule.status, call.requestId), note);
      case 'timeoutAfterCommit':
        return hold(rule.ms, handled());
      case 'timeoutBeforeCommit':
        return hold(rule.ms, vendor.failure(504, call.requestId));
      case 'lying200':
        return answer(request, reply, call, route.handle(sim(false)), note);
      case 'emptyResult':
        if (rule.commit) handled();
        return answer(request, reply, call, route.empty?.(sim(false)) ?? { status: 200, body: {} }, note);
      case 'slow':
        await delay(rule.ms);
        return answer(request, reply, call, handled(), note);
      case 'partial':
        for (const key of rule.emails) refused.set(key.toLowerCase(), { code: rule.code, message: rule.message ?? `${key} was refused` });
        return answer(request, reply, call, handled(), note);
      case 'reset':
        if (rule.commit) handled();
        unanswered(reply, call, rule.kind);
        request.raw.socket.resetAndDestroy();
        return reply;
    }
  };

  const form = (body: string): Record<string, string> => Object.fromEntries(new URLSearchParams(body));
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => done(null, form(String(body))));
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  // JSON:API (jsonapi.org) has a type of its own.
  app.addContentTypeParser('application/vnd.api+json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
  for (const route of vendor.routes) {
    const config = { open: route.open, quota: route.quota };
    app.route({ method: route.method, url: route.path, config, handler: (request, reply) => perform(route, request, reply) });
  }
  app.setNotFoundHandler((request, reply) => {
    const call = calls.get(request);
    return call ? answer(request, reply, call, vendor.failure(404, call.requestId)) : reply.code(404).send({ error: 'no such path under /_sim/' });
  });
  app.setErrorHandler((error: { statusCode?: number; message: string }, request, reply) => {
    const call = calls.get(request);
    const status = error.statusCode ?? 500;
    return call ? answer(request, reply, call, vendor.failure(status, call.requestId, error.message)) : reply.code(status).send({ error: error.message });
  });

  const simulator: Simulator = {
    async listen({ port = 0, host = '127.0.0.1' } = {}) {
      await app.listen({ port, host });
      const bound = (app.server.address() as AddressInfo).port;
      return { url: `http://${host}:${bound}`, port: bound };
    },
    close: () => app.close(),
    configure(change) {
      apply(simConfig.parse({ ...config, ...change }));
      return config;
    },
    addFault: (fault) => faults.add(fault),
    clearFaults: (id) => faults.clear(id),
    faults: () => faults.list(),
    stats: () => ({
      vendor: vendor.vendor,
      sinceMs: Math.round(performance.now() - since),
      ...stats.read(),
      windows: Object.fromEntries(
        [...limiters].map(([token, mine]) => [token === '' ? 'none' : tokenName(token), [...mine.values()].flatMap((limiter) => limiter.stats())]),
      ),
      records: records.counts(),
    }),
    records: () => records.list(),
    reset() {
      records.clear();
      stats.clear();
      faults.clear();
      limiters.clear();
      memory.clear();
      since = performance.now();
    },
  };
  addAdminRoutes(app, simulator);
  return simulator;
}
