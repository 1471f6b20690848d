/** What we read of a Vercel deployment. Only the id is sure to be there: Vercel answers in three shapes. */
export interface Deployment {
  readonly id: string
  readonly url?: string
  readonly projectId?: string
  readonly projectName?: string
  /** `production`, `preview`, `staging`, or the slug of a custom environment. */
  readonly environment: string
  readonly gitBranch?: string
  readonly gitSha?: string
  /** `git`, `cli`, `redeploy`, … as Vercel names it; deployments from the command line have no git branch. */
  readonly source?: string
  /** `QUEUED`, `BUILDING`, `READY`, `ERROR`, … as Vercel names it. Unset when its answer does not tell. */
  readonly readyState?: string
  /** Unset when Vercel's answer does not tell. It names people, so it stays out of histories. */
  readonly origin?: DeploymentOrigin
  readonly standing: DeploymentStanding
  /** When it was canceled or deleted, in milliseconds since 1970; where Vercel still shows it and tells. */
  readonly canceledAtMs?: number
  readonly deletedAtMs?: number
}

/** Who and what a deployment comes from, as far as Vercel tells. */
export interface DeploymentOrigin {
  /** The names of its creator and of the commit's author. */
  readonly makers: readonly string[]
  /** The number of the pull or merge request that it was made for. */
  readonly pullRequest?: string
  /** The project's repository and the commit's, as `owner/name`. They differ for a pull request from a fork. */
  readonly repository?: string
  readonly commitRepository?: string
}

/**
 * Where a deployment stands, seen from an action of it.
 * - `waiting`: its build may still be held; also when Vercel's answer does not tell.
 * - `passed`: its actions are done and the build went on.
 * - `canceled`: its build was stopped for good, and it never serves.
 * - `lapsed`: its actions timed out or were skipped, this one or another; it may go on and serve.
 * - `failed`: an action or the build failed.
 * - `gone`: deleted, or unknown to Vercel.
 */
export type DeploymentStanding = 'waiting' | 'passed' | 'canceled' | 'lapsed' | 'failed' | 'gone'

/** The fields that tell the standing, named as Vercel's API names them. Unknown values are plain strings. */
export interface StandingEvidence {
  readonly readyState?: string | undefined
  readonly integrationsStatus?: string | undefined
  readonly deletedAt?: number | null | undefined
  /** Set on a deployment that was restored after its deletion. */
  readonly undeletedAt?: number | null | undefined
}

/** Reads the standing from what Vercel answered; evidence of an end beats silence, silence means `waiting`. */
export function deploymentStanding(evidence: StandingEvidence): DeploymentStanding {
  const { deletedAt, undeletedAt } = evidence
  if (deletedAt && (!undeletedAt || undeletedAt < deletedAt)) return 'gone'
  if (evidence.readyState === 'CANCELED') return 'canceled'
  switch (evidence.integrationsStatus) {
    case 'pending':
      return evidence.readyState === 'ERROR' ? 'failed' : 'waiting'
    case 'ready':
      return 'passed'
    case 'timeout':
    case 'skipped':
      return 'lapsed'
    case 'error':
      return 'failed'
    case undefined:
    default:
  }
  if (evidence.readyState === 'READY') return 'passed'
  if (evidence.readyState === 'ERROR') return 'failed'
  return 'waiting'
}
