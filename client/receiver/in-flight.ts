import { Refusal } from './answers';

/** Deliveries being verified and committed. What is in memory is bounded here. */
export interface InFlight {
  /** Throws when there is no room for a delivery of so many bytes. */
  admit(bytes: number): void;
  /** Counts the work until it ends, also when its delivery was answered before. */
  track<T>(work: Promise<T>, bytes: number): Promise<T>;
  drained(): Promise<void>;
}

export function createInFlight(options: { maxCount: number; maxBytes: number; onChange: (count: number) => void }): InFlight {
  const underWay = new Set<Promise<unknown>>();
  let bytesUnderWay = 0;
  return {
    admit: (bytes) => {
      if (underWay.size < options.maxCount && bytesUnderWay + bytes <= options.maxBytes) return;
      throw new Refusal('OVERLOADED', 'too many deliveries are being committed', 'send it again after the time in Retry-After');
    },
    track: (work, bytes) => {
      const done = (): void => {
        underWay.delete(work);
        bytesUnderWay -= bytes;
        options.onChange(underWay.size);
      };
      underWay.add(work);
      bytesUnderWay += bytes;
      options.onChange(underWay.size);
      work.then(done, done);
      return work;
    },
    drained: async () => {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

/** `work`, or the error when it takes too long; `work` itself goes on. */
export async function within<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
