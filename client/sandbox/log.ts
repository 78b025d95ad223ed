/** Takes one line for a person to read; the sandbox never decides where it is printed. */
export type Log = (line: string) => void;

/** Runs `work` and, when it is slow, says every five seconds that it is still going on. */
export async function withProgress<T>(log: Log, what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const timer = setInterval(() => log(`${what}: still working (${seconds()} s)`), 5000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
