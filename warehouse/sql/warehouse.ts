import type { Json } from '../../schemas/json';
import type { ChunkJobs, ChunkRef, FinishedRow, OpenRow, ReadRequest, RowEnd, Warehouse } from '../port';
import { literal, whole, type KnownSource } from './dialect';
import type { Engine, Run } from './engine';
import { knowSource } from './known-source';
import { chunkFacts, commitRows, readOpen, settle, withValues, type ChunkFacts } from './rows';
import { closeRun, planRun } from './runs';

/** Sources whose columns are remembered: a run reads many chunks of one. */
const remembered = 20;

/** A warehouse on any engine: the statements are the same. */
export function createSqlWarehouse(name: string, engine: Engine): Warehouse {
  const { dialect } = engine;
  const { schema } = dialect;
  const sources = new Map<string, KnownSource>();
  let prepared: Promise<void> | undefined;
  const ready = (): Promise<void> => {
    prepared ??= engine.prepare().catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  };
  const inChunk = ({ runId, chunk }: ChunkRef) => `run_id = ${literal(runId)} and chunk = ${whole(chunk)}`;

  const sourceOf = async (run: Run, request: ReadRequest): Promise<KnownSource> => {
    const id = `${request.runId}/${JSON.stringify(request.source)}`;
    const known = sources.get(id) ?? (await knowSource(engine, run, request.syncId, request.source));
    sources.set(id, known);
    if (sources.size > remembered) sources.delete([...sources.keys()][0]!);
    return known;
  };

  return {
    name,
    open: ready,

    async plan(request) {
      await ready();
      return planRun(engine, request);
    },

    async suppressions() {
      await ready();
      return engine.run<{ syncId: string; rows: number }>(
        `select sync_id as "syncId", cast(count(*) as integer) as rows from ${schema}.suppression where sync_id <> '*' group by sync_id order by 2 desc, 1`,
      );
    },

    async lease(chunk, token, ms) {
      await ready();
      const until = `now() + ${whole(ms)} * interval '1 millisecond'`;
      const taken = await engine.run(
        `update ${schema}.run_chunks set lease = $1, lease_until = ${until}
          where ${inChunk(chunk)} and (lease is null or lease = $1 or lease_until < now()) returning 1 as taken`,
        [token],
      );
      if (taken.length > 0) return { held: true };
      const [row] = await engine.run<{ wait: number | null }>(
        `select cast(extract(epoch from lease_until - now()) * 1000 as integer) as wait from ${schema}.run_chunks where ${inChunk(chunk)}`,
      );
      if (!row) throw new Error(`run ${chunk.runId} has no chunk ${chunk.chunk}`);
      return { held: false, waitMs: Math.max(1, row.wait ?? 1) };
    },

    async release(chunk, token) {
      await engine.run(`update ${schema}.run_chunks set lease = null, lease_until = null where ${inChunk(chunk)} and lease = $1`, [token]);
    },

    async read(request) {
      await ready();
      return engine.transaction(
        async (run) => {
          const [chunk] = await run<ChunkFacts>(chunkFacts(dialect, request));
          if (!chunk) throw new Error(`run ${request.runId} has no chunk ${request.chunk}`);
          const source = await sourceOf(run, request);
          const raw = await run<RawRow>(readOpen(dialect, source, request, chunk));
          return openRows(raw, source, chunk.op, withValues(request, chunk.op));
        },
        { source: true },
      );
    },

    async commit({ runId, chunk }, token, ends) {
      if (ends.length === 0) return true;
      const written = await engine.run(commitRows(dialect), [runId, chunk, token, storable(ends)]);
      return written.length > 0;
    },

    async finish(chunk) {
      await ready();
      return engine.transaction(async (run) => {
        const mine = inChunk(chunk);
        const [row] = await run<{ op: OpenRow['op']; finished: boolean }>(`select op, finished from ${schema}.run_chunks where ${mine}`);
        if (row?.finished === false) {
          for (const sql of settle(dialect, chunk.syncId, `r.run_id = ${literal(chunk.runId)} and r.chunk = ${whole(chunk.chunk)}`, row.op)) await run(sql);
          await run(`update ${schema}.run_chunks set finished = true, lease = null, lease_until = null where ${mine}`);
        }
        return run<FinishedRow>(`select key, outcome, code, cause from ${schema}.run_rows where ${mine} order by n`);
      });
    },

    async chunk(chunk) {
      await ready();
      const [row] = await engine.run<{ op: OpenRow['op']; job: string | null }>(`select op, job from ${schema}.run_chunks where ${inChunk(chunk)}`);
      if (!row) throw new Error(`run ${chunk.runId} has no chunk ${chunk.chunk}`);
      return { op: row.op, jobs: row.job === null ? {} : (JSON.parse(row.job) as ChunkJobs) };
    },

    async setJobs(chunk, token, jobs) {
      const set = `update ${schema}.run_chunks set job = $2, job_at = now() where ${inChunk(chunk)} and lease = $1 returning 1 as written`;
      return (await engine.run(set, [token, JSON.stringify(jobs)])).length > 0;
    },

    async mark(runId, state, waitingFor) {
      await ready();
      await engine.run(`update ${schema}.runs set state = $2, waiting_for = $3 where run_id = $1 and ended_at is null`, [runId, state, waitingFor]);
    },

    async close(request) {
      await ready();
      return engine.transaction((run) => closeRun(dialect, run, request));
    },

    stop: () => engine.stop(),
  };
}

interface RawRow extends Record<string, unknown> {
  n: number;
  row_key: string;
  change: OpenRow['change'];
  attempts: number;
  is_known: boolean;
  target_key: string | null;
  vendor_id: string | null;
  known_fingerprint: string | null;
  is_there: boolean;
  current_fingerprint: string;
  is_shared: boolean | null;
  job: string | null;
  job_key: string | null;
  job_fingerprint: string | null;
}

/** One row each; a key that names several rows now is found twice. */
function openRows(raw: readonly RawRow[], source: KnownSource, op: OpenRow['op'], valued: boolean): OpenRow[] {
  const rows = new Map<number, OpenRow>();
  for (const one of raw) {
    const before = rows.get(one.n);
    if (before) {
      before.found += 1;
      continue;
    }
    const values = valued && one.is_there ? Object.fromEntries(source.columns.map(({ name }, index) => [name, one[`c${index}`] as Json])) : null;
    rows.set(one.n, {
      n: one.n,
      key: one.row_key,
      op,
      change: one.change,
      attempts: one.attempts,
      found: one.is_there ? 1 : 0,
      fingerprint: one.is_there ? one.current_fingerprint : null,
      values,
      known: one.is_known ? { targetKey: one.target_key, vendorId: one.vendor_id, fingerprint: one.known_fingerprint ?? '' } : null,
      shared: one.is_shared === true,
      inJob: one.job === null ? null : { name: one.job, targetKey: one.job_key ?? '', fingerprint: one.job_fingerprint },
    });
  }
  return [...rows.values()];
}

/** Databases take neither NUL nor half a character. JSON escapes both: where it holds no such escape, nothing has to be replaced. */
function storable(ends: readonly RowEnd[]): string {
  const json = JSON.stringify(ends);
  return unstorable.test(json) ? JSON.stringify(ends.map(cleaned)) : json;
}

function cleaned(end: RowEnd): RowEnd {
  const clean = <T>(text: T): T => (typeof text === 'string' ? (text.replaceAll('\0', '\uFFFD').replaceAll(loneSurrogate, '\uFFFD') as T) : text);
  return { ...end, code: clean(end.code), cause: clean(end.cause), targetKey: clean(end.targetKey), vendorId: clean(end.vendorId) };
}

const unstorable = /\\u(?:0000|d[89a-f])/;
const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;
