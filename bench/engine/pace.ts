import { setTimeout as delay } from 'node:timers/promises';
import { now } from '../figures';

/** Runs `send` for each index, `width` at a time. */
export async function atOnce(count: number, width: number, send: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) await send(next++);
  };
  await Promise.all(Array.from({ length: width }, one));
}

/** Runs `send` at a steady rate, whether or not earlier ones have ended; resolves to when each was called, in ms since the epoch. */
export async function atRate(count: number, perSecond: number, send: (index: number) => Promise<unknown>): Promise<number[]> {
  const first = now();
  const called: number[] = [];
  const sent: Promise<unknown>[] = [];
  for (let index = 0; index < count; index++) {
    const wait = first + (index * 1000) / perSecond - now();
    if (wait > 0) await delay(wait);
    called.push(now());
    sent.push(send(index));
  }
  await Promise.all(sent);
  return called;
}
