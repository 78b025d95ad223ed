import { activityInfo } from '@temporalio/activity';
import { VendorError } from '../connectors/errors';
import type { Json } from '../schemas/json';
import { budgetScopes } from '../syncs/accounts-api';
import type { EnrichmentResult, PrepareInput } from '../schemas/run';
import type { ActivityDeps } from './deps';
import { syncOf } from './lookup';

/** The first call after a quiet time waits for the account's budget to answer; more than that is a budget that has none. */
const maxPatienceMs = 1_000;

/**
 * Asks an optional enrichment. Whatever goes wrong (no permit at once, breaker open, error, too slow) the answer is the
 * sync's first-party fallback, and why: an optional extra never costs a record.
 */
export function createEnrich(deps: ActivityDeps) {
  return async function enrich({ plan, event }: Omit<PrepareInput, 'enrichment'>): Promise<EnrichmentResult> {
    const startedAt = deps.now();
    const sync = syncOf(deps.syncs, plan.syncId);
    const end = (result: Omit<EnrichmentResult, 'tookMs'>): EnrichmentResult => {
      if (result.fallback) {
        deps.log.info({ sync: plan.syncId, workflowId: activityInfo().workflowExecution?.workflowId, cause: result.cause }, 'enrichment fell back');
      }
      return { ...result, tookMs: deps.now() - startedAt };
    };
    const { enrich } = sync;
    const parsed = sync.contract.schema.safeParse(event.body);
    // `prepare` says what is wrong with the event; asking about it would only spend budget.
    if (!enrich || !parsed.success) return end({ fallback: true, cause: 'not asked: the event breaks its contract' });
    const question = enrich.ask(parsed.data);
    if (question === null) return end({ fallback: true, cause: 'not asked: the event says nothing to ask with' });

    const { vendor } = enrich.enrichment.connector;
    const scopes = budgetScopes(enrich.account, enrich.enrichment.quota);
    // Half-open, an enrichment may be the call that tests the vendor: then the gate decides.
    if (deps.health.openUntil(scopes) > deps.now()) return end({ fallback: true, cause: `${vendor} is failing; not asked` });
    const asked = { scopes, lane: plan.budget.lane, sync: plan.syncId };
    const patienceMs = Math.min(maxPatienceMs, enrich.timeoutMs);
    const permit =
      deps.gate.closedForMs(scopes, asked.lane) > patienceMs
        ? null
        : await deps.gate.acquire({ ...asked, signal: AbortSignal.timeout(patienceMs) }).catch(() => null);
    if (!permit) return end({ fallback: true, cause: `${vendor} has no budget left now` });
    if (deps.health.admit(scopes).kind === 'shut') {
      permit.giveBack();
      return end({ fallback: true, cause: `${vendor} is failing; not asked` });
    }
    const signal = AbortSignal.timeout(enrich.timeoutMs);
    const call = deps.link(vendor, enrich.account.name).call({ ...asked, permit, signal });
    try {
      const value = (await enrich.enrichment.fetch(call, question as never)) as Json;
      deps.health.report(scopes, { answered: [event.id], failed: [], connection: false });
      return end({ fallback: false, value });
    } catch (error) {
      const known = error instanceof VendorError;
      const down = !known || (error.retryable && error.code !== 'RATE_LIMITED');
      deps.health.report(scopes, { answered: down ? [] : [event.id], failed: down ? [event.id] : [], connection: known && error.connection });
      if (!known) return end({ fallback: true, cause: `${vendor} answered in a way its connector does not understand` });
      return end({ fallback: true, cause: signal.aborted ? `${vendor} took longer than ${enrich.timeoutMs} ms` : error.message });
    } finally {
      call.release();
    }
  };
}
