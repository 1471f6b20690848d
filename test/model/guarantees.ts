import { type ActionKey, actionWorkflowId } from '../../src/domain/action-key.ts'
import type { ModelProvider } from './model-provider.ts'
import type { ModelTemporal } from './model-temporal.ts'
import type { ModelVercel, Withdrawal } from './model-vercel.ts'
import type { Scenario } from './scenario.ts'
import { nameOf } from './script.ts'

/** What is known of a sequence once everything is quiet. */
export interface Played {
  readonly scenario: Scenario
  readonly keys: readonly ActionKey[]
  /** The webhooks that were accepted, in their order. */
  readonly accepted: { event: 'start' | Withdrawal; key: ActionKey; answer: unknown; at: number }[]
  readonly operatorCanceled: ReadonlySet<string>
  readonly vercel: ModelVercel
  readonly provider: ModelProvider
  readonly temporal: ModelTemporal
}

/** Every guarantee of ARCHITECTURE.md that does not hold now, told from Vercel's and the provider's own records. */
export function guarantees(played: Played): string[] {
  const { keys, temporal } = played
  const open = temporal.runs
    .filter(({ status }) => status === 'open')
    .map((run) => `the run ${run.runId} of ${nameOf(run.key)} never ends`)
  return [...open, ...keys.flatMap((key) => brokenFor(key, played))]
}

function brokenFor(key: ActionKey, played: Played): string[] {
  const { scenario, accepted, operatorCanceled, vercel, provider, temporal } = played
  const name = nameOf(key)
  const runs = temporal.runs.filter(({ workflowId }) => workflowId === actionWorkflowId(key))
  const events = accepted.filter((event) => nameOf(event.key) === name).map(({ event }) => event)
  const started = events.includes('start')
  const withdrawn =
    events.includes('cancel') || events.includes('cleanup') || operatorCanceled.has(name)
  const action = vercel.action(key)
  const actionRuns = runs.filter(({ type }) => type === 'deploymentAction')
  const last = runs.at(-1)
  const broken: string[] = []

  if (actionRuns.length > 1) broken.push(`${name} was started ${actionRuns.length} times`)
  if (started && runs.length === 0) broken.push(`${name} was accepted and never started`)
  if (withdrawn && provider.has(key)) broken.push(`${name} was withdrawn, and its branch is left`)
  if ((last?.status === 'failed' || last?.status === 'canceled') && provider.has(key))
    broken.push(`${name} is ${last.status}, and its branch is left`)
  if (action.status === 'failed' && provider.has(key))
    broken.push(`${name} was reported failed, and its branch is left`)
  const report = action.reports.at(-1)
  const taken = action.reports.some(({ answer }) => answer === 202)
  // A try that was cut off may have been taken for all that Holdpoint knows.
  const known = report?.status === 'succeeded' && report.toldOver && !taken && undisturbed(played)
  if (known && provider.has(key))
    broken.push(`${name} was over when it was reported, and its branch is left`)
  if (scenario.provisions && !withdrawn && vercel.serves(key)) broken.push(...missing(key, played))
  if (started && !withdrawn && !action.endedBefore && !obstructed(key, played)) {
    if (action.status === undefined) broken.push(`${name} waits at Vercel for ever`)
  }
  if (undisturbed(played)) broken.push(...delays(key, played))
  return broken
}

/** What a deployment that serves does not find any more. */
function missing(key: ActionKey, { scenario, provider }: Played): string[] {
  const name = nameOf(key)
  const branch = provider.branchOf(key)
  if (!branch) return [`${name} serves, and its branch is gone`]
  // A later push made the branch anew, or began to: with `reset` its content is that one's.
  const later = scenario.sharing?.onPush === 'reset' && branch.madeFor !== key.deploymentId
  const refused = scenario.faults.some(({ step }) => step === 'create branch')
  if (later && (branch.complete || refused)) return []
  if (!branch.complete) return [`${name} serves, and its branch is not complete`]
  const lost = scenario.steps.includes('migrate') && !branch.migrated.has(name)
  return lost ? [`${name} serves, and its branch is without its migration`] : []
}

/** Whether Vercel refused the last report of its own accord, so that nobody can tell it how the action ended. */
function obstructed(key: ActionKey, { vercel }: Played): boolean {
  const last = vercel.action(key).reports.at(-1)
  return last !== undefined && last.answer !== 202
}

/** How long an undo and a report may take when nothing hinders them. */
const END_WITHIN_MS = 60_000
/** How long it may take until a step heard that it shall stop, too. */
const WITHDRAWN_WITHIN_MS = 20_000

/** Whether nothing befell what ends an action: the workers, the undo, the reports. */
function undisturbed({ scenario }: Played): boolean {
  const ends: ReadonlySet<string> = new Set([
    'enter provider',
    'delete branch',
    'list branches',
    'release claim',
    'report succeeded',
    'judge refusal',
    'report failed',
    'request cancellation',
    'accept',
  ])
  // A deployment waits while another one works on the branch they share.
  if (scenario.sharing && scenario.faults.length > 0) return false
  return (
    !scenario.nameTaken &&
    scenario.faults.every(({ step }) => !ends.has(step)) &&
    scenario.happenings.every(({ what }) => !/^the (worker|provider)/.test(what))
  )
}

/** What took longer than it may: an end after the deadline, and after a withdrawal. */
function delays(key: ActionKey, { accepted, scenario, temporal }: Played): string[] {
  const runs = temporal.runs.filter(({ workflowId }) => workflowId === actionWorkflowId(key))
  const [withdrawal] = accepted.filter(
    ({ event, key: of }) => event !== 'start' && nameOf(of) === nameOf(key),
  )
  return runs.flatMap((run) => {
    const { startedAt, closedAt = Infinity } = run
    const late = closedAt - startedAt > scenario.deadlineMs + END_WITHIN_MS
    const slow =
      withdrawal && startedAt <= withdrawal.at && closedAt - withdrawal.at > WITHDRAWN_WITHIN_MS
    return [
      ...(late ? [`${nameOf(key)} took longer than its deadline`] : []),
      ...(slow ? [`${nameOf(key)} went on after it was withdrawn`] : []),
    ]
  })
}
