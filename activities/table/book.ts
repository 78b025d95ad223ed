import { setTimeout as delay } from 'node:timers/promises';
import { WarehouseBusy } from '../../warehouse/port';
import type { ActivityDeps } from '../deps';

const mostTries = 8;

/** Once the vendor answered, only writing it down is tried again, never the call. */
export async function booked<T>({ log }: Pick<ActivityDeps, 'log'>, write: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof WarehouseBusy) || tries >= mostTries) throw error;
      log.warn({ err: error, tries }, 'the warehouse does not answer; only the booking is retried, the call is not');
      await delay(Math.min(2_000, 50 * 2 ** tries));
    }
  }
}
