import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Target } from './load/action.ts'
import { closedLoop } from './load/loads.ts'
import { webhookSender } from './load/webhook-sender.ts'
import type { Figures } from './report/figures.ts'
import { startSystem } from './systems/start-system.ts'
import { type RunningSystem, type Surroundings, SYSTEMS, type SystemId } from './systems/system.ts'
import type { FakeVercel } from './vercel/fake-vercel.ts'

export interface BenchOptions {
  readonly rounds: number
  /** Only to see that everything works: the figures mean nothing. */
  readonly quick: boolean
  readonly systems: readonly SystemId[]
  /** In which the neighbour's limit of 100 updates holds, in milliseconds. */
  readonly limitWindowMs: number
}

/** What a scenario works with. */
export interface Bench {
  readonly options: BenchOptions
  readonly vercel: FakeVercel
  readonly figures: Figures
  /** Tells the person at the terminal what is being done. */
  readonly progress: (line: string) => void
  /**
   * Starts a system in a new directory, hands it over, and ends and deletes everything of it, after an error too. Only
   * one system runs at a time, so that none pays for another.
   */
  readonly measure: <Result>(
    run: (running: RunningSystem, target: Target) => Promise<Result>,
    start: (surroundings: Surroundings) => Promise<RunningSystem>,
  ) => Promise<Result>
  /** `measure` for each system in turn, as many rounds as asked for: interleaved, so that none has the quiet hour. */
  readonly eachRound: (
    systems: readonly SystemId[],
    run: (id: SystemId, running: RunningSystem, target: Target) => Promise<void>,
  ) => Promise<void>
  /** Ends and deletes what runs now; nothing is started any more. */
  readonly abandon: () => Promise<void>
}

/** One of the things that can be measured by itself. */
export interface Scenario {
  readonly name: string
  readonly about: string
  /** Records figures; answers what else there is to print. */
  run(bench: Bench): Promise<string | void>
}

const CLIENT_SECRET = 'client-secret-of-the-benchmark'
const WARM_UP = { concurrency: 4, count: 100, limitMs: 15_000 }

export function createBench(settings: {
  readonly options: BenchOptions
  readonly vercel: FakeVercel
  readonly figures: Figures
  readonly cliPath: string
  readonly progress: (line: string) => void
}): Bench {
  const { options, vercel, cliPath, progress } = settings
  let abandoned = false
  let current: { directory: string; running?: RunningSystem } | undefined

  const end = async () => {
    const ending = current
    await ending?.running?.stop()
    if (ending) await rm(ending.directory, { recursive: true, force: true })
  }

  const measure: Bench['measure'] = async (run, start) => {
    if (abandoned) throw new Error('The benchmark was abandoned.')
    const directory = await mkdtemp(join(tmpdir(), 'holdpoint-bench-'))
    current = { directory }
    vercel.reset()
    vercel.latencyMs = 0
    try {
      const surroundings = {
        vercelUrl: vercel.url,
        clientSecret: CLIENT_SECRET,
        cliPath,
        directory,
      }
      const running = (current.running = await start(surroundings))
      const sender = webhookSender(running.webhookUrl, CLIENT_SECRET)
      try {
        return await run(running, { vercel, sender, action: 'env' })
      } finally {
        sender.close()
      }
    } finally {
      await end()
      current = undefined
    }
  }

  return {
    ...settings,
    measure,
    async abandon() {
      abandoned = true
      await end()
    },
    async eachRound(systems, run) {
      for (let round = 1; round <= options.rounds; round += 1) {
        for (const id of systems) {
          progress(`  round ${round} of ${options.rounds}: ${SYSTEMS[id]}`)
          await measure(
            (running, target) => run(id, running, target),
            (surroundings) => startSystem(id, surroundings),
          )
        }
      }
    },
  }
}

/** Has code compiled, connections opened and caches filled; what comes after is the steady state. */
export async function warmUp(target: Target, quick: boolean): Promise<void> {
  await closedLoop(target, { ...WARM_UP, ...(quick && { count: 12 }) })
}
