import type { BudgetScope, Lane } from '../schemas/plan';
import type { VendorRequest } from './connector';
import { NoPermitInTime } from './errors';
import type { Gate, Permit } from './permit';

/** On whose behalf requests are made. */
export interface CallOptions {
  scopes: readonly BudgetScope[];
  lane: Lane;
  /** The sync's id, or `trace`, `doctor`, … */
  sync: string;
  /** Spent by the first request; further ones ask the gate. */
  permit?: Permit;
  /** Before the request leaves: rejects with the signal's reason. After: `VendorError`, ambiguous. */
  signal?: AbortSignal;
  /** Logins and permits of further requests are waited for until then, and no longer: `NoPermitInTime`. @default as long as it takes */
  patience?: AbortSignal;
}

export interface CallPermitsOptions {
  vendor: string;
  gate: Gate;
  /** Budget scopes of a request that names a quota of its own. */
  scopesOf?: ((quota: string) => readonly BudgetScope[]) | undefined;
  by: CallOptions;
}

/** The permits of one call: the first was given to it, further ones it asks for. */
export class CallPermits {
  private given: Permit | undefined;
  /** An earlier request, or the last one, may have written something. */
  private written = false;
  private writing = false;

  constructor(private readonly options: CallPermitsOptions) {
    this.given = options.by.permit;
  }

  /** For the next request of the call. */
  async next({ quota, method }: Pick<VendorRequest, 'quota' | 'method'>): Promise<Permit> {
    const { signal, patience } = this.options.by;
    const permit =
      this.first(quota) ??
      (await this.further(
        quota,
        [signal, patience].filter((one) => one !== undefined),
      ));
    this.written ||= this.writing;
    this.writing = method !== 'GET';
    return permit;
  }

  /** The vendor did not know who asked: the last request wrote nothing. */
  refused(): void {
    this.writing = false;
  }

  /** For a login. Others may wait for it, too: it does not end with the call that happened to send it. */
  async login(quota: string | undefined): Promise<Permit> {
    return this.first(quota) ?? (await this.further(quota, []));
  }

  /** What is waited for before a request leaves, unless that takes longer than the call may. */
  async patiently<T>(wait: Promise<T>): Promise<T> {
    const { patience, scopes } = this.options.by;
    if (!patience) return wait;
    let stop: () => void = () => undefined;
    const tooLong = new Promise<never>((_resolve, reject) => {
      stop = () => reject(this.tooLate(scopes));
      if (patience.aborted) stop();
      else patience.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([wait, tooLong]);
    } finally {
      patience.removeEventListener('abort', stop);
    }
  }

  /** Gives the first permit back, if no request took it. */
  release(): void {
    this.given?.giveBack();
    this.given = undefined;
  }

  private scopesFor(quota: string | undefined): readonly BudgetScope[] {
    return (quota === undefined ? undefined : this.options.scopesOf?.(quota)) ?? this.options.by.scopes;
  }

  /** A permit is good for the quota it came from, and for no other. */
  private first(quota: string | undefined): Permit | undefined {
    // What lay between (a claim, a login) took longer than the lease: another one is asked for.
    if (this.given?.expired?.()) this.release();
    if (!this.given || !sameScopes(this.scopesFor(quota), this.options.by.scopes)) return undefined;
    const { given } = this;
    this.given = undefined;
    return given;
  }

  private async further(quota: string | undefined, signals: AbortSignal[]): Promise<Permit> {
    const { gate, by } = this.options;
    const scopes = this.scopesFor(quota);
    try {
      return await gate.acquire({
        scopes,
        lane: by.lane,
        sync: by.sync,
        ...(signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}),
        ...(by.permit?.probe ? { probe: true } : {}),
      });
    } catch (error) {
      if (signals.length > 0 && by.patience?.aborted && !by.signal?.aborted) throw this.tooLate(scopes);
      throw error;
    }
  }

  private tooLate(scopes: readonly BudgetScope[]): NoPermitInTime {
    return new NoPermitInTime(this.options.vendor, scopes, this.written || this.writing);
  }
}

function sameScopes(one: readonly BudgetScope[], other: readonly BudgetScope[]): boolean {
  return (
    one === other || (one.length === other.length && one.every(({ vendor, scope }, index) => vendor === other[index]?.vendor && scope === other[index].scope))
  );
}
