/** The middle value; of an even number of values, the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

/**
 * The nearest-rank percentile: the smallest value that at least `percent` of the values do not exceed, so always one
 * that was measured. NaN of none.
 */
export function percentile(values: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * values.length))
  return ascending(values)[rank - 1] ?? Number.NaN
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}
