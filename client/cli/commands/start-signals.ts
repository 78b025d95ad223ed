const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The end of a command that runs until it is told to stop. */
export interface StopRequest {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Resolves with it. */
  readonly requested: Promise<void>;
  /** Signals do what they did before. */
  release(): void;
}

/** Ctrl-C and its like: the first asks to stop, a second one calls `second`. */
export function stopOnSignal(second: () => void): StopRequest {
  const stop = new AbortController();
  const requested = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }));
  const onSignal = (): void => (stop.signal.aborted ? second() : stop.abort());
  for (const signal of signals) process.on(signal, onSignal);
  return {
    signal: stop.signal,
    requested,
    release: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
