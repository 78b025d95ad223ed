import { createHash } from 'node:crypto';
import type { JobOperation, JobState } from '../../connectors/connector';
import type { VendorError } from '../../connectors/errors';
import type { ChunkJob, ChunkJobs, OpenRow, RowEnd } from '../../warehouse/port';
import { inJobCode, WarehouseBusy } from '../../warehouse/port';
import type { VendorLink } from '../deps';
import { booked } from './book';
import { endsAfter, isRefusal, refused, vendorErrorOf, type CallEnd, type CallFacts } from './call-end';
import type { ChunkSenderOptions } from './chunk-sender';
import { Door, type Entry, type Held } from './door';
import { end, pageOf, prepareRow, type RowItem } from './items';
import { endsOfFailedJob, endsOfJob } from './job-end';

const readRows = 1_000;
/** A hand-over may take several requests, and a permit for each: longer than this it does not wait for one. */
const mostPatienceMs = 60_000;
/** First look at a job that was just handed over; after it the vendor says when. */
const firstLookMs = 2_000;
/** Hand-overs a chunk may spend on finding rows at fault that the vendor does not name. */
const searchCalls = 64;

/** A row that stands in a job: as what was handed over, and as it is now. */
type Member = RowItem & { now: OpenRow };

/**
 * Hands the open rows of one chunk over as the vendor's jobs, and looks after those handed over before. Every row carries
 * its job's name before the vendor hears of it, and the vendor's name of the job is written down before anybody looks at it:
 * a crash in between hands the same rows over again, under the same name.
 */
export class JobSender {
  private readonly link: VendorLink;
  private readonly door: Door;
  private jobs: ChunkJobs;
  private stop: Held | undefined;
  /** When to come back: for jobs under way, and for rows that wait for another try. */
  private readonly looks: number[] = [];
  private readonly retries: number[] = [];
  /** Rows wait until the job of an earlier write of their record is over. */
  private deferred = false;
  private searches = 0;

  constructor(
    private readonly options: ChunkSenderOptions,
    private readonly operation: JobOperation<unknown>,
    jobs: ChunkJobs,
  ) {
    const { deps, input, lease, signal } = options;
    this.link = deps.link(input.plan.vendor, input.plan.account);
    this.door = new Door({ deps, input, lease, callMs: this.link.timeoutMs, signal });
    this.jobs = jobs;
  }

  /** Null: every row has an end. */
  async send(): Promise<Held | null> {
    try {
      const { members, open } = await this.read();
      for (const [name, rows] of members) if (!this.stop) await this.look(name, rows);
      const busy = new Set([...members.values()].flat().map(({ key }) => key));
      for (const part of this.parts(open, busy)) if (!this.stop) await this.handOver(part);
    } catch (error) {
      if (!(error instanceof WarehouseBusy)) throw error;
      return this.door.held('warehouse', 5_000);
    }
    if (this.stop) return this.stop;
    if (this.looks.length > 0) return this.door.held('job', Math.min(...this.looks, ...this.retries));
    if (this.deferred) this.retries.push(firstLookMs);
    return this.retries.length > 0 ? this.door.held('retry', Math.min(...this.retries)) : null;
  }

  /** All open rows: those in jobs the vendor knows, and those still to be handed over. What needs no call ends here. */
  private async read(): Promise<{ members: Map<string, Member[]>; open: RowItem[] }> {
    const members = new Map<string, Member[]>();
    const open: RowItem[] = [];
    const ends: RowEnd[] = [];
    for await (const row of this.rows()) {
      const name = row.inJob?.name;
      if (name !== undefined && this.jobs[name] !== undefined) {
        const list = members.get(name) ?? [];
        members.set(name, list);
        list.push(memberOf(row));
        continue;
      }
      const { input, sync } = this.options;
      const prepared = input.expire ? end(row, 'expired', 'EXPIRED', 'held longer than retry.expireAfter allows') : prepareRow(sync, row, input.plan.maxBatch);
      if ('outcome' in prepared) ends.push(prepared);
      else open.push(prepared);
    }
    await this.commit(ends);
    return { members, open };
  }

  private async *rows(): AsyncGenerator<OpenRow> {
    const { warehouse, input } = this.options;
    for (let after = -1; ;) {
      const page = await warehouse.read(pageOf(input, after, readRows));
      yield* page;
      if (page.length < readRows) return;
      after = page.at(-1)!.n;
    }
  }

  private async look(name: string, members: Member[]): Promise<void> {
    const entry = await this.enter();
    if (!entry) return this.giveUp(members);
    const state = await this.called(
      members,
      entry,
      (call) => this.operation.poll(call, this.jobs[name]!.id, this.inputsOf(members)),
      ({ code, retryAfterMs }) => {
        if (code === 'AUTH') this.stop ??= this.door.held('credentials', 60_000);
        else this.looks.push(Math.max(5_000, retryAfterMs ?? 0));
      },
    );
    if (state) await this.judge(name, members, state);
    else await this.giveUp(members);
  }

  private async judge(name: string, members: Member[], state: JobState): Promise<void> {
    if (state.state !== 'running') {
      if (state.state === 'ended' && state.matched) await this.know(name, { ...this.jobs[name]!, matched: state.matched });
      const call = state.state === 'ended' ? endsOfJob(members, state, this.facts()) : endsOfFailedJob(members, state, this.facts());
      return this.book(call);
    }
    this.looks.push(Math.max(1_000, state.againMs));
    await this.giveUp(members);
  }

  /** Nobody waits for ever, not for a job either, nor for a vendor who does not say what became of it. */
  private async giveUp(members: readonly Member[]): Promise<void> {
    if (!this.options.input.expire) return;
    this.stop = undefined;
    this.looks.length = 0;
    await this.commit(members.map(({ row }) => end(row, 'expired', 'EXPIRED', 'the vendor’s job took longer than retry.expireAfter allows')));
  }

  /** What was handed over, where it is still what the source says; a row that changed since is told apart by its key alone. */
  private inputsOf(members: readonly Member[]): unknown[] {
    const { sync, input } = this.options;
    return members.flatMap(({ row, now, key }) => {
      if (row.fingerprint !== now.fingerprint) return [];
      const prepared = prepareRow(sync, now, input.plan.maxBatch);
      return 'outcome' in prepared || prepared.key !== key ? [] : [prepared.input];
    });
  }

  /** Rows of one job each. Two writes of one record never share a job, nor overtake each other: the second waits for the first. */
  private parts(open: readonly RowItem[], busy: Set<string>): RowItem[][] {
    const parts: RowItem[][] = [];
    let bytes = 0;
    for (const item of open) {
      if (busy.has(item.key)) {
        this.deferred = true;
        continue;
      }
      busy.add(item.key);
      const last = parts.at(-1);
      if (last && last.length < this.operation.maxRows && bytes + item.size <= this.operation.maxBytes) last.push(item);
      else {
        parts.push([item]);
        bytes = 0;
      }
      bytes += item.size;
    }
    return parts;
  }

  private async handOver(part: RowItem[]): Promise<void> {
    const entry = await this.enter();
    if (!entry) return;
    const name = this.nameOf(part);
    const inJob = part.map(({ row, key, attempts }) => ({
      n: row.n,
      outcome: null,
      code: inJobCode,
      cause: name,
      attempts,
      fingerprint: row.fingerprint,
      targetKey: key,
      vendorId: row.known?.vendorId,
    }));
    await this.door.unlessThrown(entry, this.commit(inJob));
    if (this.stop) return this.door.leave(entry);
    let error: VendorError | undefined;
    const taken = await this.called(
      part,
      entry,
      (call) =>
        this.operation.submit(
          call,
          part.map(({ input }) => input),
          name,
        ),
      (failure) => (error = failure),
    );
    if (!taken) return this.afterError(part, error!);
    await this.know(name, { id: taken.job, rows: part.length });
    this.looks.push(firstLookMs);
  }

  private async afterError(part: RowItem[], error: VendorError): Promise<void> {
    if (error.code === 'AUTH') {
      this.stop ??= this.door.held('credentials', 60_000);
      return;
    }
    if (!isRefusal(error)) return this.book(endsAfter(part, error, this.facts()));
    if (part.length === 1) return this.commit(refused(part, error, 'alone'));
    // One row refuses them all, and the vendor does not say which: halves, each a job of its own.
    this.searches += 2;
    if (this.searches > searchCalls) return this.commit(refused(part, error, 'unsearched'));
    const middle = Math.ceil(part.length / 2);
    for (const half of [part.slice(0, middle), part.slice(middle)]) if (!this.stop) await this.handOver(half);
  }

  private async enter(): Promise<Entry | null> {
    const entry = await this.door.enter();
    if (entry.kind === 'entry') return entry;
    this.stop ??= entry;
    return null;
  }

  /** One hand-over or look; undefined = it failed, which was told to the breaker. */
  private async called<T>(
    items: readonly RowItem[],
    { permit }: Entry,
    act: (call: ReturnType<VendorLink['call']>) => Promise<T>,
    failed: (error: VendorError) => void,
  ): Promise<T | undefined> {
    const { scopes, budget, syncId } = this.options.input.plan;
    const call = this.link.call({ scopes, lane: budget.lane, sync: syncId, permit, patience: AbortSignal.timeout(mostPatienceMs) });
    try {
      const answer = await act(call);
      this.door.answered(items);
      return answer;
    } catch (thrown) {
      const error = vendorErrorOf(thrown);
      this.door.failed(items, error);
      failed(error);
      return undefined;
    } finally {
      call.release();
    }
  }

  /** The same for the same rows of the same run, as long as none of them failed. */
  private nameOf(part: readonly RowItem[]): string {
    const { runId, chunk } = this.options.input;
    // Attempts grow only with a judged failure: then it is another job.
    const rows = part.map(({ row, attempts }) => `${row.n}:${row.fingerprint ?? ''}:${attempts}`).join();
    return `${runId}/${chunk}/${createHash('sha256').update(rows).digest('hex').slice(0, 12)}`;
  }

  private async book({ ends, again }: CallEnd): Promise<void> {
    await this.commit(ends);
    const now = this.options.deps.now();
    for (const { notBeforeMs } of again) this.retries.push(Math.max(0, notBeforeMs - now));
  }

  private async commit(ends: readonly RowEnd[]): Promise<void> {
    if (ends.length === 0) return;
    const { deps, warehouse, input, lease } = this.options;
    if (!(await booked(deps, () => warehouse.commit(input, lease.token, ends)))) this.stop ??= this.door.held('lease', 1_000);
    this.options.progress(ends.filter(({ outcome }) => outcome !== null).length);
  }

  private async know(name: string, job: ChunkJob): Promise<void> {
    this.jobs = { ...this.jobs, [name]: job };
    const { deps, warehouse, input, lease } = this.options;
    if (!(await booked(deps, () => warehouse.setJobs(input, lease.token, this.jobs)))) this.stop ??= this.door.held('lease', 1_000);
  }

  private facts(): CallFacts {
    const { deps, input } = this.options;
    const { retry, maxBatch, scopes } = input.plan;
    const random = (): number => deps.random();
    return { retry, maxBatch, now: deps.now(), random, down: deps.health.openUntil(scopes) > 0, landedAtMs: deps.health.lastLandedAt(scopes) };
  }
}

/** By the key and the fingerprint written down when it was handed over. */
function memberOf(row: OpenRow): Member {
  const { targetKey, fingerprint } = row.inJob!;
  const then = { ...row, fingerprint };
  return { row: then, now: row, key: targetKey, input: null, size: 0, attempts: row.attempts, cap: 1, notBeforeMs: 0, failedAtMs: 0 };
}
