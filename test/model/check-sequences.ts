import fc from 'fast-check'
import { play } from './play.ts'
import { describeScenario, type Scenario, scenarios } from './scenario.ts'
import type { WorkflowCode } from './workflow-code.ts'

/** Plays so many sequences, each another one. Answers a report when one breaks a guarantee, shrunk first. */
export async function checkSequences(
  { runs, seed }: { runs: number; seed: number },
  code: WorkflowCode,
): Promise<{ runs: number; perSecond: number; report: string | undefined }> {
  const begin = performance.now()
  const { numRuns, counterexample } = await fc.check(
    fc.asyncProperty(scenarios, async (scenario) => {
      const broken = await play(scenario, code)
      if (broken.length > 0) throw new Error(broken.join('\n'))
    }),
    { numRuns: runs, seed },
  )
  const perSecond = Math.round((1000 * numRuns) / (performance.now() - begin))
  const report = counterexample ? await reportOf(counterexample[0], seed, code) : undefined
  return { runs: numRuns, perSecond, report }
}

/** What went wrong, in which scenario, and the whole story. */
async function reportOf(scenario: Scenario, seed: number, code: WorkflowCode): Promise<string> {
  const story: string[] = []
  const broken = await play(scenario, code, (line) => story.push(line))
  return [
    `MODEL_SEED=${seed}`,
    ...broken.map((line) => `BROKEN: ${line}`),
    '',
    ...describeScenario(scenario).map((line) => `- ${line}`),
    '',
    ...story,
    '',
    JSON.stringify(scenario),
  ].join('\n')
}
