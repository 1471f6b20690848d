import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { readEnvironment } from '../src/config/environment.ts'
import { cliCacheDirectory, findTemporalCli } from '../src/temporal/find-cli.ts'
import { createBench, type Scenario } from './bench.ts'
import { Figures } from './report/figures.ts'
import { describeMachine, machineLines } from './report/machine.ts'
import { judge, verdictLines } from './report/requirements.ts'
import { figuresTable } from './report/table.ts'
import { cost } from './scenarios/cost.ts'
import { growth } from './scenarios/growth.ts'
import { latency } from './scenarios/latency.ts'
import { neighbour } from './scenarios/neighbour.ts'
import { profile } from './scenarios/profile.ts'
import { rate } from './scenarios/rate.ts'
import { SYSTEMS, type SystemId } from './systems/system.ts'
import { startFakeVercel } from './vercel/fake-vercel.ts'

// `npm run bench -- latency cost`: measures Holdpoint beside its peers, in one run.

const MEASURES: readonly Scenario[] = [latency, rate, cost, growth, neighbour]
const SCENARIOS: readonly Scenario[] = [...MEASURES, profile]

const KNOWN_SYSTEMS = Object.keys(SYSTEMS) as SystemId[]

const program = new Command('bench')
  .description('Measures Holdpoint beside its peers, in one run on one machine.')
  .addArgument(
    new Argument('[scenarios...]', 'all but profile unless said').choices(
      SCENARIOS.map(({ name }) => name),
    ),
  )
  .option('--rounds <number>', 'rounds, of which the medians count', wholeNumber, 3)
  .option('--quick', 'one small round, to see that everything works', false)
  .option('--systems <list>', 'comma-separated; all but ownServer unless said', systemList)
  .option('--json <file>', 'write everything there, the value of each round too')
  .option(
    '--limit-window <seconds>',
    'in which 100 updates are allowed (neighbour)',
    wholeNumber,
    60,
  )
  .addHelpText(
    'after',
    `\nScenarios:\n${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}
\nThe system ownServer is Holdpoint beside a Temporal server that runs already:
  TEMPORAL_ADDRESS       where it is
  TEMPORAL_NAMESPACE     one that nobody else works in; default unless set
  TEMPORAL_SERVER_PID    its process here, whose CPU and memory are then measured (rate, cost)
  TEMPORAL_DATABASE_PID  its database's, whose CPU is then measured (rate)`,
  )
  .action(run)

await program.parseAsync()
process.exit()

async function run(
  names: readonly string[],
  flags: {
    rounds: number
    quick: boolean
    systems?: SystemId[]
    json?: string
    limitWindow: number
  },
): Promise<void> {
  const scenarios =
    names.length === 0 ? MEASURES : SCENARIOS.filter(({ name }) => names.includes(name))
  const machine = await describeMachine(tmpdir())
  const environment = readEnvironment()
  const cliPath = await findTemporalCli({
    cliPath: environment.temporalCliPath,
    searchPath: environment.searchPath,
    cacheDirectory: cliCacheDirectory(environment.xdgCacheHome),
    onProgress: console.error,
  })
  const vercel = await startFakeVercel()
  const figures = new Figures()
  const bench = createBench({
    options: {
      rounds: flags.quick ? 1 : flags.rounds,
      quick: flags.quick,
      systems: flags.systems ?? KNOWN_SYSTEMS.filter((id) => id !== 'ownServer'),
      limitWindowMs: flags.limitWindow * 1000,
    },
    vercel,
    figures,
    cliPath,
    progress: console.error,
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void bench.abandon().finally(() => process.exit(130)))
  }
  console.log(machineLines(machine))
  for (const scenario of scenarios) {
    console.error(`${scenario.name}: ${scenario.about}`)
    const known = figures.figures().length
    try {
      const text = await scenario.run(bench)
      if (text) console.log(`\n${text}`)
    } catch (error) {
      // What the others tell is still worth having.
      console.error(`${scenario.name} was not measured to its end:`, error)
      process.exitCode = 1
    }
    const measured = figures.figures().slice(known)
    if (measured.length > 0) console.log(`\n${figuresTable(figures, measured)}\n`)
    if (flags.json !== undefined) await writeJson(flags.json, { machine, flags, figures })
  }
  const verdicts = judge(figures)
  if (verdicts.length > 0) console.log(verdictLines(verdicts))
  if (flags.quick) console.log('\nOne quick round: everything works, and the figures mean nothing.')
  if (flags.json !== undefined) await writeJson(flags.json, { machine, flags, figures, verdicts })
  await vercel.close()
}

async function writeJson(file: string, content: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`)
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('It must be a whole number above 0.')
}

function systemList(text: string): SystemId[] {
  return text.split(',').map((id) => {
    const known = KNOWN_SYSTEMS.find((system) => system === id)
    if (known) return known
    throw new InvalidArgumentError(`Choose from ${KNOWN_SYSTEMS.join(', ')}.`)
  })
}
