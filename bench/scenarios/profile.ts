import { readdir, readFile } from 'node:fs/promises'
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
    let profiles = ''
    return await measure(
      async (running, target) => {
        await warmUp(target, quick)
        const [from, cpuBefore] = [monotonicUs(), await cpuSeconds(running.app)]
        const limitMs = quick ? 2000 : 20_000
        const { length: actions } = await oneAtATime(target, { count: Infinity, limitMs })
        const cpuMs = ((await cpuSeconds(running.app)) - cpuBefore) * 1000
        const window = { from, to: monotonicUs() }
        // Profiles are written at the end of the process.
        await running.stop()
        const threads = await readProfiles(profiles)
        return describe(
          threads.map((thread) => selfTimes([thread], window)),
          selfTimes(threads, window),
          { actions, cpuMs },
        )
      },
      (surroundings) => {
        profiles = join(surroundings.directory, 'profiles')
        const nodeArguments = ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
        return startHoldpoint(surroundings, { nodeArguments })
      },
    )
  },
}

/** One of each JavaScript thread, the main thread first. */
async function readProfiles(directory: string): Promise<CpuProfile[]> {
  // CPU.<date>.<time>.<process>.<thread>.<number>.cpuprofile
  const files = (await readdir(directory)).sort()
  return await Promise.all(
    files.map(
      async (file) => JSON.parse(await readFile(join(directory, file), 'utf8')) as CpuProfile,
    ),
  )
}

/** The clock that V8 stamps samples with, the same for all processes of the machine. */
function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

function describe(
  threads: readonly (readonly SelfTime[])[],
  times: readonly SelfTime[],
  { actions, cpuMs }: { readonly actions: number; readonly cpuMs: number },
): string {
  const totalMs = sum(times)
  const line = (name: string, ms: number) => [
    name,
    (ms / actions).toFixed(2),
    `${((ms / totalMs) * 100).toFixed(1)} %`,
  ]
  const places = new Map<string, number>()
  for (const { place, ms } of times) places.set(place, (places.get(place) ?? 0) + ms)
  const byTime = [...places].sort((a, b) => b[1] - a[1])
  return [
    `${actions} actions, one at a time; CPU of the process: ${(cpuMs / actions).toFixed(1)} ms per action`,
    alignColumns([
      ['thread', 'ms/action', 'share'],
      ...threads.map((each, index) =>
        line(index === 0 ? 'main thread' : `thread ${index}`, sum(each)),
      ),
      [
        'native: Temporal core, compiler, garbage collection',
        ((cpuMs - totalMs) / actions).toFixed(2),
        '',
      ],
    ]),
    alignColumns([['place', 'ms/action', 'share'], ...byTime.map(([name, ms]) => line(name, ms))]),
    alignColumns([
      ['function', 'ms/action', 'share'],
      ...times.slice(0, MOST_FUNCTIONS).map(({ place, name, ms }) => line(`${place}  ${name}`, ms)),
    ]),
  ].join('\n\n')
}

function sum(times: readonly SelfTime[]): number {
  return times.reduce((total, { ms }) => total + ms, 0)
}
