/** `'250ms'`, `'30s'`, `'10m'`, `'3h'`, `'3d'`, or milliseconds. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration. Throws on anything else, naming what it got. */
export function durationMs(duration: Duration): number {
  if (typeof duration === 'number' && Number.isFinite(duration) && duration >= 0) return duration;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration));
  if (!match) throw new Error(`"${duration}" is not a duration; expected e.g. '250ms', '30s', '10m', '3h', '3d' or milliseconds`);
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
