/**
 * Order statistics of timings.
 */

/** The p-quantile of a sample, 0 <= p <= 1, by linear interpolation between its order statistics. */
export function quantile(sample: ArrayLike<number>, p: number): number {
  const sorted = Float64Array.from(sample).sort();
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.ceil(at);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

export function median(sample: ArrayLike<number>): number {
  return quantile(sample, 0.5);
}
