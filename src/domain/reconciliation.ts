import type { ActionKey } from './action-key.ts'
import type { Deployment } from './deployment.ts'
import { describeDuration } from './duration.ts'
import { matchesAny } from './glob.ts'

/** What exists at a provider, as an action's `list` tells it. */
export interface FoundObject {
  readonly name: string
  /** Unset: nobody needs it any more, and it may go at `expiresAtMs`. */
  readonly owner?: ActionKey
  /** Without an owner: whose quota it counts for. */
  readonly resource?: Pick<ActionKey, 'installationId' | 'resourceId'>
  /** The one whose deployments share it. */
  readonly gitBranch?: string
  readonly sinceMs?: number
  readonly expiresAtMs?: number
  readonly complete: boolean
  readonly holdpoint?: string
}

/**
 * How the latest run of an action key ended.
 * - `none`: Temporal knows of no run, as it forgets closed ones after some days.
 * - `open`: it is at work, and looks after itself.
 * - `kept`: it left what it made: it succeeded, or an outcome of it may have been taken.
 * - `withdrawn`: a cancel or cleanup had its way.
 * - `failed`: it meant to leave nothing.
 * - `broken`: it was terminated or timed out, and neither reported nor undid.
 */
export type LatestRun = 'none' | 'open' | 'kept' | 'withdrawn' | 'failed' | 'broken'

/** What Vercel says of the deployment that an object was made for. */
export type Evidence =
  | {
      readonly kind: 'answered'
      readonly deployment: Pick<Deployment, 'standing' | 'canceledAtMs' | 'deletedAtMs'>
      /** What it is a deployment of; unset when Vercel's answer does not tell for sure. */
      readonly place?: Pick<Deployment, 'environment' | 'gitBranch'>
      /** Whether the token is proved to see this installation: a wrong one finds no deployment at all. */
      readonly installationSeen: boolean
    }
  | { readonly kind: 'unanswered'; readonly because: string }

export interface ReconciliationPolicy {
  /** Nothing younger is destroyed. */
  readonly minAgeMs: number
  /** How long what was made for a deployment outlives it. */
  readonly graceMs: number
  /** How many acts a run does at most. */
  readonly cap: number
}

/**
 * - `keep`: it is needed, or too young to judge.
 * - `foreign`: another Holdpoint looks after it.
 * - `wait`: the deployment is over, and its grace is not.
 * - `undecided`: nobody can tell now.
 * - `destroy`, `expire`: nobody needs it. `resume`: Vercel still waits for its outcome.
 */
export type Verdict = 'keep' | 'foreign' | 'wait' | 'undecided' | 'destroy' | 'expire' | 'resume'

export interface Judgement {
  readonly verdict: Verdict
  /** One sentence for the operator. */
  readonly because: string
  /** Since when reconciliation has seen that the deployment is over; to be remembered until the next time. */
  readonly overSinceMs?: number
}

/** How long what an action made may stay although its deployment lives; see `Policy`. */
export interface Lifetime {
  readonly ttlMs: number
  /** Globs of the git branches for which it may stay for good. */
  readonly protectedBranches: readonly string[]
}

export interface Facts {
  readonly object: FoundObject
  /** Unset: as long as the deployment lives. */
  readonly lifetime?: Lifetime | undefined
  /** Which Holdpoint asks. */
  readonly holdpoint: string
  readonly nowMs: number
  readonly policy: Omit<ReconciliationPolicy, 'cap'>
  /** Since when earlier reconciliations have seen that the deployment is over. */
  readonly overSinceMs?: number | undefined
  readonly run?: LatestRun
  readonly evidence?: Evidence
}

/** Vercel redelivers a cancel for a day; a canceled deployment can never be restored, so it gets no more than that. */
const REDELIVERED_FOR_MS = 24 * 3_600_000

/**
 * Judges one object, or says whom to ask first: Temporal for the latest run of its owner, then Vercel for the
 * deployment. Nothing is destroyed of a deployment that Vercel shows as living, unless its own run failed or was
 * withdrawn, or the action's policy names a time to live and that is over: then what was made for it goes, but never
 * while its run is at work or its build is held, never that of production, of a protected git branch or of a
 * deployment of which Vercel does not tell these two.
 */
export function judge(facts: Facts): Judgement | 'ask-temporal' | 'ask-vercel' {
  const { object, holdpoint, run, evidence } = facts
  if (object.holdpoint === undefined)
    return { verdict: 'foreign', because: 'Nothing on it tells which Holdpoint made it.' }
  if (object.holdpoint !== holdpoint)
    return { verdict: 'foreign', because: `The Holdpoint ${object.holdpoint} made it.` }
  if (!object.owner) return orYoung(facts, judgeUnclaimed(facts))
  if (run === undefined) return 'ask-temporal'
  if (run === 'open') return keep('Its run is at work.')
  if (run === 'withdrawn') return orYoung(facts, destroy('Vercel took the action back.'))
  // The history of a key without a run may be kept elsewhere, with the action still at work there.
  if (run !== 'broken' && isYoung(facts)) return young(facts)
  if (evidence === undefined) return 'ask-vercel'
  return orYoung(facts, judgeByDeployment(facts, run, evidence))
}

function judgeUnclaimed({ object: { expiresAtMs }, nowMs }: Facts): Judgement {
  if (expiresAtMs === undefined || nowMs < expiresAtMs)
    return keep('No deployment needs it any more, and its time is not over.')
  return { verdict: 'expire', because: 'No deployment needs it any more, and its time is over.' }
}

function judgeByDeployment(
  facts: Facts,
  run: Exclude<LatestRun, 'open' | 'withdrawn'>,
  evidence: Evidence,
): Judgement {
  if (evidence.kind === 'unanswered') return undecided(facts, evidence.because)
  const { deployment, installationSeen } = evidence
  if (deployment.standing === 'gone') {
    const deletedAtMs = deployment.deletedAtMs
    if (deletedAtMs !== undefined)
      return afterGrace(facts, { what: 'deleted', sinceMs: deletedAtMs })
    if (installationSeen) return afterGrace(facts, { what: 'unknown to Vercel' })
    return undecided(
      facts,
      'Vercel does not know the deployment, but does not show the resource to this token either.',
    )
  }
  if (deployment.standing === 'canceled')
    return afterGrace(facts, { what: 'canceled', sinceMs: deployment.canceledAtMs })
  if (deployment.standing !== 'waiting')
    return judgeByAge(facts, evidence) ?? keep(`The deployment is there (${deployment.standing}).`)
  switch (run) {
    case 'none':
    case 'broken':
      return {
        verdict: 'resume',
        because: `The build is held for the action, ${run === 'none' ? 'of which Temporal knows no run' : 'whose run was broken off'}.`,
      }
    case 'failed':
      return destroy('The action failed, and nothing of it was to be left.')
    case 'kept':
      return keep('The deployment still waits, and the action is done.')
  }
}

/** The deployment lives, and so what was made for it stays, unless its time to live is over. */
function judgeByAge(
  facts: Facts,
  { place }: Extract<Evidence, { kind: 'answered' }>,
): Judgement | undefined {
  const { object, lifetime, nowMs } = facts
  if (!lifetime || object.sinceMs === undefined || nowMs - object.sinceMs < lifetime.ttlMs)
    return undefined
  if (!place)
    return undecided(
      facts,
      'Its time to live is over, but Vercel does not tell of which environment and git branch it is.',
    )
  if (place.environment === 'production')
    return keep('Its time to live is over, but it is there for production.')
  const gitBranches = [object.gitBranch, place.gitBranch].filter((name) => name !== undefined)
  if (gitBranches.some((name) => matchesAny(lifetime.protectedBranches, name)))
    return keep('Its time to live is over, but its git branch is protected.')
  return destroy(`Its time to live of ${describeDuration(lifetime.ttlMs)} is over.`)
}

/** The deployment is over, so its objects go with the end of their grace. */
function afterGrace(
  facts: Facts,
  {
    what,
    sinceMs,
  }: { what: 'deleted' | 'canceled' | 'unknown to Vercel'; sinceMs?: number | undefined },
): Judgement {
  const { nowMs, policy } = facts
  const graceMs =
    what === 'canceled' ? Math.min(policy.graceMs, REDELIVERED_FOR_MS) : policy.graceMs
  const overSinceMs = sinceMs ?? facts.overSinceMs ?? nowMs
  const remembered = sinceMs === undefined ? { overSinceMs } : {}
  const is = what === 'unknown to Vercel' ? 'is unknown to Vercel' : `was ${what}`
  if (nowMs - overSinceMs >= graceMs)
    return {
      verdict: 'destroy',
      because: `The deployment ${is}, for longer than ${describeDuration(graceMs)}.`,
      ...remembered,
    }
  const leftMs = graceMs - (nowMs - overSinceMs)
  return {
    verdict: 'wait',
    because: `The deployment ${is}; its grace of ${describeDuration(graceMs)} is over in ${describeDuration(leftMs)}.`,
    ...remembered,
  }
}

/** Only what is old enough loses anything. */
function orYoung(facts: Facts, judgement: Judgement): Judgement {
  const takes = judgement.verdict === 'destroy' || judgement.verdict === 'expire'
  return takes && isYoung(facts) ? young(facts) : judgement
}

function isYoung({ object: { sinceMs }, nowMs, policy }: Facts): boolean {
  return sinceMs === undefined || nowMs - sinceMs < policy.minAgeMs
}

function young({ object: { sinceMs }, policy }: Facts): Judgement {
  return keep(
    sinceMs === undefined
      ? 'Nobody tells how old it is.'
      : `It is younger than ${describeDuration(policy.minAgeMs)}.`,
  )
}

/** What was seen before is neither confirmed nor refuted, so it is remembered as it is. */
function undecided({ overSinceMs }: Facts, because: string): Judgement {
  return { verdict: 'undecided', because, ...(overSinceMs !== undefined && { overSinceMs }) }
}

function keep(because: string): Judgement {
  return { verdict: 'keep', because }
}

function destroy(because: string): Judgement {
  return { verdict: 'destroy', because }
}
