import { bulkLanes, type Lane } from './plan';

/**
 * The hours in which some lanes of a vendor account may send. Outside of them they get no permits; live records are never
 * held. Read as a clock on the wall of `timeZone` shows it: an hour that the clock skips is not there, one that it repeats
 * counts twice.
 */
export interface OffPeak {
  /** Lanes that send in these hours only. `live` is not among them. */
  lanes: Exclude<Lane, 'live'>[];
  /** `HH:MM`; may be later than `to`: then the hours go over midnight. */
  from: string;
  to: string;
  /** IANA name, e.g. `Europe/Berlin`. */
  timeZone: string;
}

/** Held records come back over five minutes: shorter hours would be over before the last of them. */
const leastMinutes = 30;

function minutesBetween(from: string, to: string): number {
  const minutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  return (minutes(to) - minutes(from) + 24 * 60) % (24 * 60);
}

/** What is wrong with it, in words; null = nothing. */
export function offPeakProblem(hours: OffPeak): string | null {
  const { lanes, from, to, timeZone } = hours;
  const wrong = lanes.find((lane) => !bulkLanes.includes(lane));
  if (wrong !== undefined) return `offPeak.lanes has "${String(wrong)}"; expected some of ${bulkLanes.join(', ')} (live is never held)`;
  if (lanes.length === 0) return `offPeak.lanes is empty; expected some of ${bulkLanes.join(', ')}`;
  for (const [name, time] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(time)) return `offPeak.${name} is "${time}"; expected a time from 00:00 to 23:59, e.g. 22:00`;
  }
  if (from === to) return `offPeak.from and offPeak.to are both ${from}; expected hours that begin and end at different times`;
  if (minutesBetween(from, to) < leastMinutes)
    return `offPeak from ${from} to ${to} is ${minutesBetween(from, to)} minutes; expected at least ${leastMinutes}, or held records come back after it is over`;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    return `offPeak.timeZone is "${timeZone}"; expected a name such as Europe/Berlin or UTC`;
  }
  return null;
}
