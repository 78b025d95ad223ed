import type { FastifyInstance } from 'fastify';
import { ZodError } from 'zod';
import type { Simulator } from '../simulator';

/**
 * Remote control, for processes that did not start the simulator: `GET /_sim/stats`, `GET /_sim/records[?key=&limit=]`,
 * `POST /_sim/config` (a change), `GET`/`POST`/`DELETE /_sim/faults[/:id]`, `POST /_sim/reset`, `GET /_sim/health`. No
 * authentication: a simulator listens on the loopback address.
 */
export function addAdminRoutes(app: FastifyInstance, simulator: Simulator): void {
  app.get('/_sim/health', () => ({ ok: true }));
  app.get('/_sim/stats', () => simulator.stats());
  app.get<{ Querystring: { key?: string; limit?: string } }>('/_sim/records', (request) => {
    const { key, limit } = request.query;
    const found = simulator.records().filter((record) => key === undefined || record.key === key.toLowerCase());
    return found.slice(0, limit === undefined ? undefined : Number(limit));
  });
  app.post('/_sim/config', (request, reply) => refusing(reply, () => simulator.configure((request.body ?? {}) as Parameters<Simulator['configure']>[0])));
  app.get('/_sim/faults', () => simulator.faults());
  app.post('/_sim/faults', (request, reply) =>
    refusing(reply, () => [request.body].flat().map((fault) => simulator.addFault(fault as Parameters<Simulator['addFault']>[0]))),
  );
  app.delete('/_sim/faults', () => {
    simulator.clearFaults();
    return { ok: true };
  });
  app.delete<{ Params: { id: string } }>('/_sim/faults/:id', (request) => {
    simulator.clearFaults(request.params.id);
    return { ok: true };
  });
  app.post('/_sim/reset', () => {
    simulator.reset();
    return { ok: true };
  });
}

/** A setting or fault that cannot be read is answered 400, with where and why. */
function refusing<T>(reply: { code(status: number): unknown }, act: () => T): T | { error: string } {
  try {
    return act();
  } catch (error) {
    reply.code(400);
    if (error instanceof ZodError) return { error: error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ') };
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
