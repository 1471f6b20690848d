import { beforeAll, expect, inject, test } from 'vitest'
import { checkSequences } from './check-sequences.ts'
import { activityNames } from './play.ts'
import { loadWorkflowCode, type WorkflowCode } from './workflow-code.ts'

const RUNS = Number(process.env['MODEL_RUNS'] ?? 2000)
const SEED = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31)

let code: WorkflowCode

beforeAll(async () => {
  code = await loadWorkflowCode(inject('workflowBundle'), activityNames)
})

test(
  `what must always hold, holds in ${RUNS} sequences of events and faults`,
  async () => {
    const { runs, perSecond, report } = await checkSequences({ runs: RUNS, seed: SEED }, code)
    console.log(`MODEL_SEED=${SEED} MODEL_RUNS=${runs}: ${perSecond} sequences a second`)
    if (report) expect.fail(`\n${report}`)
  },
  // Only so that a sequence without an end is noticed: a busy machine may take ten times as long as an idle one.
  RUNS * 300 + 60_000,
)
