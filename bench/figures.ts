/** The value that `share` of the values do not exceed (nearest rank); NaN of no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Milliseconds since the epoch with fractions, on a clock that does not step; the simulator stamps its writes by the same. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** `"12.3 / 45.6 ms"`: what progress lines show of a set of latencies. */
export function shown(latencies: readonly number[]): string {
  return `p50 ${quantile(latencies, 0.5).toFixed(1)}, p99 ${quantile(latencies, 0.99).toFixed(1)} ms`;
}
