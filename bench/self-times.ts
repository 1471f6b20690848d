/** What `node --cpu-prof` writes of a thread. Times are microseconds of the monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
  }[]
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** The time in a function itself, without what it called. */
export interface SelfTime {
  /** The package, `node`, or the file of ours. */
  readonly place: string
  readonly name: string
  readonly ms: number
}

/** The functions that were on top of the stack between two moments, most time first. Waiting is left out. */
export function selfTimes(
  profiles: readonly CpuProfile[],
  { from, to }: { readonly from: number; readonly to: number },
): SelfTime[] {
  const times = new Map<string, { place: string; name: string; ms: number }>()
  for (const { nodes, startTime, samples, timeDeltas } of profiles) {
    const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
    let at = startTime
    for (const [index, sample] of samples.entries()) {
      at += timeDeltas[index] ?? 0
      const frame = frames.get(sample)
      if (at < from || at > to || !frame || frame.functionName === '(idle)') continue
      const place = placeOf(frame.url)
      const name = `${frame.functionName || '(anonymous)'}${frame.url && `:${frame.lineNumber + 1}`}`
      const key = `${place} ${name}`
      const time = times.get(key) ?? { place, name, ms: 0 }
      times.set(key, time)
      // A sample stands for the time until the next one.
      time.ms += (timeDeltas[index + 1] ?? 0) / 1000
    }
  }
  return [...times.values()].sort((a, b) => b.ms - a.ms)
}

function placeOf(url: string): string {
  if (url === '') return 'V8'
  if (url.startsWith('node:')) return 'node'
  const [, dependency] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? []
  if (dependency) return dependency
  const [, ours] = /\/dist\/(.+)$/.exec(url) ?? []
  return ours ?? 'workflow bundle'
}
