import type { DriverCall } from '../driver.ts'

const EVERY_MS = 2_000

/** Tells every two seconds how far `work` is, until it ends. `describe` gets the whole seconds since it began. */
export async function tellProgress<Result>(
  call: Pick<DriverCall, 'progress'>,
  describe: (seconds: number) => string,
  work: () => Promise<Result>,
): Promise<Result> {
  const begun = performance.now()
  const tell = () => call.progress(describe(Math.round((performance.now() - begun) / 1_000)))
  const telling = setInterval(tell, EVERY_MS)
  try {
    return await work()
  } finally {
    clearInterval(telling)
  }
}

/** A size for people: `8 MB`, `1.2 GB`. */
export function inBytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
