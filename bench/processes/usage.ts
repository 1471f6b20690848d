import { readFile } from 'node:fs/promises'

/** The kernel's clock ticks a second, as `/proc` counts; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** A process with all that it started, but not what was started as `without`. */
export interface ProcessTree {
  readonly pid: number
  readonly without?: readonly number[]
}

/** User and system time of the processes, in seconds, since each began. */
export async function cpuSeconds(tree: ProcessTree): Promise<number> {
  let ticks = 0
  for (const pid of await processesOf(tree)) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    // `12 (name) S …`: a name may hold anything, so fields are counted from its last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // utime, stime, and both of children that have ended and were waited for: 14th to 17th of the whole line.
    for (const field of fields.slice(11, 15)) ticks += Number(field)
  }
  return ticks / TICKS_PER_SECOND
}

/** The memory of the processes in MiB: now, and at the most so far. */
export async function residentMib(tree: ProcessTree): Promise<{ now: number; peak: number }> {
  let [now, peak] = [0, 0]
  for (const pid of await processesOf(tree)) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    now += kibibytes(status, 'VmRSS') / 1024
    peak += kibibytes(status, 'VmHWM') / 1024
  }
  return { now, peak }
}

function kibibytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
}

async function processesOf({ pid: root, without = [] }: ProcessTree): Promise<Set<number>> {
  const all = new Set<number>()
  const waiting = [root]
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    if (all.has(pid) || without.includes(pid)) continue
    all.add(pid)
    waiting.push(...(await childrenOf(pid)))
  }
  return all
}

async function childrenOf(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return list.trim().split(/\s+/).filter(Boolean).map(Number)
}
