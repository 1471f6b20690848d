import type { DeploymentStanding } from './deployment.ts'

/**
 * What Vercel's refusal (400, 404, 409 or 410) of our `succeeded` means.
 * - `taken`: an earlier report of ours was taken and its answer lost; keep everything.
 * - `over`: the deployment no longer wants us; undo, and report nothing.
 * - `vanished`: Vercel does not show the deployment, to whom it may have given our outcome; undo when that lasts.
 * - `refused`: Vercel does not accept this report; undo, and report `failed`.
 * - `undecided`: the deployment will tell later; ask again, keep everything until then.
 */
export type RefusalVerdict = 'taken' | 'over' | 'vanished' | 'refused' | 'undecided'

/**
 * Judges a refusal by the deployment itself. Documentation does not say how Vercel answers a second terminal
 * status, so a refusal alone never destroys anything: only a deployment that has ended does, or one that still
 * waits when no report of ours can have reached it.
 */
export function judgeRefusal(refusal: {
  status: number
  standing: DeploymentStanding
  mayHaveBeenTaken: boolean
}): RefusalVerdict {
  switch (refusal.standing) {
    case 'canceled':
      return 'over'
    case 'gone':
      // One server of Vercel's may not know what another one has, for a moment.
      return refusal.mayHaveBeenTaken ? 'vanished' : 'over'
    case 'passed':
      return 'taken'
    case 'lapsed':
    case 'failed':
      // Perhaps by another action, and ours was taken first; else it can no longer be, and nothing uses the branch.
      return refusal.mayHaveBeenTaken ? 'taken' : 'over'
    case 'waiting': {
      const saysSettled = refusal.status === 409 || refusal.status === 410
      return refusal.mayHaveBeenTaken || saysSettled ? 'undecided' : 'refused'
    }
  }
}
