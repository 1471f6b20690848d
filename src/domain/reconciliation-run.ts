import type { FoundObject, Judgement, ReconciliationPolicy, Verdict } from './reconciliation.ts'

// What a reconciliation is started with and ends with. Workflow data: bounded, and without secrets.

export interface ReconciliationRequest {
  readonly policy: ReconciliationPolicy
  /** False: only tell what would be done. */
  readonly apply: boolean
  /** What earlier reconciliations remembered; unset, the last run of the same Schedule tells. */
  readonly suspects?: readonly Suspect[]
}

/** A deployment that is over as far as reconciliation can see, where Vercel tells no date. */
export interface Suspect {
  readonly action: string
  /** `actionDigest` of the object's owner. */
  readonly digest: string
  readonly overSinceMs: number
}

/** An object that is not simply kept. */
export interface Case extends Judgement {
  readonly action: string
  readonly object: FoundObject
  /** Whether its latest run failed: what was refused before is tried last. */
  readonly failedBefore: boolean
}

/** What an act came to. `changed`: looked at again, it was no longer to be done. */
export type ActResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'changed'; readonly because: string }
  | { readonly kind: 'failed'; readonly because: string }

export interface Survey {
  /** How many objects got which verdict. */
  readonly counts: Readonly<Partial<Record<Verdict, number>>>
  /** Bounded: what is to be done comes first. */
  readonly cases: readonly Case[]
  readonly suspects: readonly Suspect[]
}

export interface ReconciliationReport extends Survey {
  readonly acts: readonly (Case & { readonly result: ActResult })[]
  /** Actions whose objects could not be looked at. */
  readonly unsurveyed: readonly { readonly action: string; readonly because: string }[]
}

const ACTS = ['resume', 'expire', 'destroy'] as const
export type Act = (typeof ACTS)[number]

const ORDER: readonly Verdict[] = [...ACTS, 'undecided', 'wait', 'foreign', 'keep']
// A payload of Temporal may have 2 MB, and a server warns of 512 kB.
const MAX_CASES = 500
const MAX_CASE_CHARACTERS = 200_000
const MAX_SUSPECTS = 1500

/** What is to be done now: held builds first, and last what was refused before, so that it never stops the rest. */
export function chooseActs(cases: readonly Case[], cap: number): (Case & { verdict: Act })[] {
  return inOrder(cases).filter(isToBeDone).slice(0, cap)
}

/** Sums up within what a workflow may carry. Of the suspects the oldest stay, which are next to go. */
export function joinSurveys(surveys: readonly Survey[]): Survey {
  const sum = (verdict: Verdict) =>
    surveys.reduce((total, { counts }) => total + (counts[verdict] ?? 0), 0)
  let characters = 0
  return {
    counts: Object.fromEntries(ORDER.map((verdict) => [verdict, sum(verdict)])),
    cases: inOrder(surveys.flatMap(({ cases }) => cases))
      .slice(0, MAX_CASES)
      .filter((each) => (characters += JSON.stringify(each).length) <= MAX_CASE_CHARACTERS),
    suspects: surveys
      .flatMap(({ suspects }) => suspects)
      .sort((one, other) => one.overSinceMs - other.overSinceMs)
      .slice(0, MAX_SUSPECTS),
  }
}

/** How many acts are left for the next time: over the cap, changed or failed ones, or all of them after a dry run. */
export function leftToDo({ counts, acts }: Pick<ReconciliationReport, 'counts' | 'acts'>): number {
  const wanted = ACTS.reduce((total, act) => total + (counts[act] ?? 0), 0)
  return wanted - acts.filter(({ result }) => result.kind !== 'failed').length
}

/** For the run's page in the Web UI. */
export function describeReport(report: ReconciliationReport): string {
  const { counts, acts, unsurveyed } = report
  const code = (text: string) => `\`${text}\``
  return [
    ORDER.map((verdict) => `${verdict} ${counts[verdict] ?? 0}`).join(', '),
    ...acts.map(
      ({ action, object, verdict, because, result }) =>
        `- ${verdict} ${code(object.name)} (${action}): ${because} ${result.kind}${'because' in result ? `: ${result.because}` : ''}`,
    ),
    ...unsurveyed.map(({ action, because }) => `- ${action} was not looked at: ${because}`),
    `Left for the next time: ${leftToDo(report)}`,
  ].join('\n')
}

function isToBeDone(each: Case): each is Case & { verdict: Act } {
  return ACTS.some((act) => act === each.verdict)
}

function inOrder(cases: readonly Case[]): Case[] {
  const rank = (each: Case) =>
    isToBeDone(each) && each.failedBefore ? ACTS.length - 0.5 : ORDER.indexOf(each.verdict)
  return [...cases].sort((one, other) => rank(one) - rank(other))
}
