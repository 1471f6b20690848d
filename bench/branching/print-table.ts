/** Prints each row's median, range and ratio to the first row, as Markdown. */
export function printTable(title: string, timesMs: ReadonlyMap<string, readonly number[]>): void {
  const medians = new Map([...timesMs].map(([name, times]) => [name, medianOf(times)]))
  const [driver = ''] = timesMs.keys()
  const driverMs = medians.get(driver) ?? NaN
  console.log(`\n### ${title}\n`)
  console.log('| Way | Median | From – to | Against the driver |\n| --- | --- | --- | --- |')
  for (const [name, times] of timesMs) {
    const range = `${seconds(Math.min(...times))} – ${seconds(Math.max(...times))}`
    const medianMs = medians.get(name) ?? NaN
    console.log(
      `| ${name} | ${seconds(medianMs)} | ${range} | ${(medianMs / driverMs).toFixed(1)} × |`,
    )
  }
}

function medianOf(times: readonly number[]): number {
  const sorted = times.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}
