import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Scenario, warmUp } from '../bench.ts'
import { oneAtATime } from '../load/loads.ts'
import { cpuSeconds } from '../processes/usage.ts'
import { type CpuProfile, type SelfTime, selfTimes } from '../self-times.ts'
import { alignColumns } from '../report/table.ts'
import { startHoldpoint } from '../systems/holdpoint.ts'

const MOST_FUNCTIONS = 40

/** Where Holdpoint's own process spends its time under a steady load of one action at a time. */
export const profile: Scenario = {
  name: 'profile',
  about: 'what the JavaScript of Holdpoint does in an action, by package and by function',
  async run({ measure, options: { quick } }) {
    const directory = await mkdtemp(join(tmpdir(), 'holdpoint-bench-profile-'))
    try {
      const nodeArguments = ['--cpu-prof', `--cpu-prof-dir=${directory}`]
      const window = await measure(
        async ({ app }, target) => {
          await warmUp(target, quick)
          const begin = { atUs: monotonicUs(), cpu: await cpuSeconds(app) }
          const limitMs = quick ? 2000 : 20_000
          const { length: actions } = await oneAtATime(target, { count: Infinity, limitMs })
          const cpuMs = ((await cpuSeconds(app)) - begin.cpu) * 1000
          return { actions, cpuMs, from: begin.atUs, to: monotonicUs() }
        },
        (surroundings) => startHoldpoint(surroundings, { nodeArguments }),
      )
      // One for each thread, written when the process ended.
      const files = await readdir(directory)
      const profiles = await Promise.all(
        files.map(
          async (file) => JSON.parse(await readFile(join(directory, file), 'utf8')) as CpuProfile,
        ),
      )
      return describe(selfTimes(profiles, window), { ...window, threads: files.length })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
}

/** The clock that V8 stamps samples with, the same for all processes of the machine. */
function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

function describe(
  times: readonly SelfTime[],
  { actions, cpuMs, threads }: { actions: number; cpuMs: number; threads: number },
): string {
  const totalMs = times.reduce((sum, { ms }) => sum + ms, 0)
  const line = (name: string, ms: number) => [
    name,
    (ms / actions).toFixed(2),
    `${((ms / totalMs) * 100).toFixed(1)} %`,
  ]
  const places = new Map<string, number>()
  for (const { place, ms } of times) places.set(place, (places.get(place) ?? 0) + ms)
  const byTime = [...places].sort((a, b) => b[1] - a[1])
  return [
    `${actions} actions; milliseconds per action: ${(cpuMs / actions).toFixed(1)} of CPU in all threads, ${(totalMs / actions).toFixed(1)} of them in ${threads} JavaScript thread(s), the rest in native ones (Temporal's core, garbage collection)`,
    alignColumns([['place', 'ms/action', 'share'], ...byTime.map(([name, ms]) => line(name, ms))]),
    alignColumns([
      ['function', 'ms/action', 'share'],
      ...times.slice(0, MOST_FUNCTIONS).map(({ place, name, ms }) => line(`${place}  ${name}`, ms)),
    ]),
  ].join('\n\n')
}
