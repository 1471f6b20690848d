import { basename } from 'node:path'

/** What `node --cpu-prof` writes of a thread. Times are microseconds of the monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: CallFrame
  readonly children?: readonly number[]
}

interface CallFrame {
  readonly functionName: string
  /** Empty for what is no JavaScript. */
  readonly url: string
  readonly lineNumber: number
}

/** The time in a function itself, without what it called. */
export interface SelfTime {
  /** The package, node's own module, the file of ours, or `V8`. What is native counts for the place that called it. */
  readonly place: string
  /** With file and line. */
  readonly name: string
  readonly ms: number
}

const LONGEST_NAME = 60

/** The functions that were on top of the stack between two moments, most time first. Waiting is left out. */
export function selfTimes(
  profiles: readonly CpuProfile[],
  { from, to }: { readonly from: number; readonly to: number },
): SelfTime[] {
  const times = new Map<string, { place: string; name: string; ms: number }>()
  for (const { nodes, startTime, samples, timeDeltas } of profiles) {
    const functions = namedFunctions(nodes)
    let at = startTime
    for (const [index, sample] of samples.entries()) {
      at += timeDeltas[index] ?? 0
      const found = functions.get(sample)
      if (at < from || at > to || !found) continue
      const key = `${found.place} ${found.name}`
      const time = times.get(key) ?? { ...found, ms: 0 }
      times.set(key, time)
      // A sample stands for the time until the next one.
      time.ms += (timeDeltas[index + 1] ?? 0) / 1000
    }
  }
  return [...times.values()].sort((a, b) => b.ms - a.ms)
}

/** Place and name of each node's function, by the node's id; none for waiting. */
function namedFunctions(
  nodes: readonly ProfileNode[],
): Map<number, { readonly place: string; readonly name: string }> {
  const callers = new Map<number, ProfileNode>()
  for (const node of nodes) for (const child of node.children ?? []) callers.set(child, node)
  const named = new Map<number, { place: string; name: string }>()
  for (const node of nodes) {
    const { functionName, url } = node.callFrame
    if (functionName === '(idle)') continue
    let caller: ProfileNode | undefined = node
    while (caller && caller.callFrame.url === '') caller = callers.get(caller.id)
    const name = nameOf(node.callFrame)
    named.set(node.id, {
      place: placeOf(caller?.callFrame.url ?? ''),
      name: url === '' && caller ? `${name} (native) in ${nameOf(caller.callFrame)}` : name,
    })
  }
  return named
}

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  // A regular expression has its whole text for a name.
  const name = functionName.slice(0, LONGEST_NAME) || '(anonymous)'
  return url ? `${name} ${basename(url)}:${lineNumber + 1}` : name
}

function placeOf(url: string): string {
  if (url === '') return 'V8'
  if (url.startsWith('node:')) return url
  const [, dependency] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? []
  if (dependency) return dependency
  const [, ours] = /\/dist\/(.+)$/.exec(url) ?? []
  return ours ?? 'workflow bundle'
}
