import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { checkSequences } from './check-sequences.ts'
import { activityNames } from './play.ts'
import { loadWorkflowCode } from './workflow-code.ts'

// `npm run test:model`: plays very many sequences, in several processes.

interface Shard {
  readonly bundle: string
  readonly runs: number
  readonly seed: number
}

const RUNS = Number(process.env['MODEL_RUNS'] ?? 100_000)
const SEED = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31)
const SHARDS = Number(process.env['MODEL_SHARDS'] ?? Math.min(availableParallelism(), 2))

const [shard] = process.argv.slice(2)
if (shard === undefined) await playAll()
else await playShard(JSON.parse(shard) as Shard)

async function playAll(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-model-'))
  const begin = performance.now()
  try {
    const bundle = join(directory, 'workflows.js')
    await writeFile(bundle, await bundleWorkflows())
    const shares = Array.from({ length: SHARDS }, (_, index) => ({
      bundle,
      runs: Math.floor((RUNS + index) / SHARDS),
      seed: (SEED + index) % 2 ** 31,
    }))
    const exits = await Promise.all(shares.map(startShard))
    const violations = exits.filter((code) => code !== 0).length
    const seconds = Math.round((performance.now() - begin) / 1000)
    console.log(`${RUNS} sequences, ${violations} violations, seed ${SEED}, ${seconds} s`)
    process.exitCode = violations > 0 ? 1 : 0
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function bundleWorkflows(): Promise<string> {
  const workflowsPath = join(import.meta.dirname, '../../workflows/index.ts')
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') })
  return code
}

/** Resolves with the exit code of a process that plays the shard. */
async function startShard(shard: Shard): Promise<number | null> {
  const child = fork(import.meta.filename, [JSON.stringify(shard)])
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

/** A shard ends with the first sequence that breaks a guarantee. */
async function playShard({ bundle, runs, seed }: Shard): Promise<void> {
  const code = await loadWorkflowCode(bundle, activityNames)
  const { runs: played, perSecond, report } = await checkSequences({ runs, seed }, code)
  console.log(`MODEL_SEED=${seed}: ${played} sequences, ${perSecond} a second`)
  if (!report) return
  console.log(report)
  process.exitCode = 1
}
