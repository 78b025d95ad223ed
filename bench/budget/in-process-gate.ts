import type { Gate, Permit } from '../../connectors/permit';

/**
 * What people write first, to compare with: a sliding window in the process, exact by its own sending, blind to every other
 * process and to the time a call takes to arrive.
 */
export function inProcessGate(max: number, windowMs: number): Gate {
  const sent: number[] = [];
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const permit: Permit = { scopes: [], done: () => undefined, giveBack: () => undefined };
  const free = (): boolean => {
    while (sent.length > 0 && sent[0]! <= performance.now() - windowMs) sent.shift();
    return sent.length < max;
  };
  const pump = (): void => {
    timer = undefined;
    while (waiting.length > 0 && free()) {
      sent.push(performance.now());
      waiting.shift()!();
    }
    if (waiting.length > 0) timer = setTimeout(pump, Math.max(1, sent[0]! + windowMs - performance.now()));
  };
  return {
    acquire: () =>
      new Promise((resolve) => {
        waiting.push(() => resolve(permit));
        if (!timer) pump();
      }),
    tryAcquire: () => (waiting.length === 0 && free() ? (sent.push(performance.now()), permit) : null),
    closedForMs: () => 0,
  };
}
