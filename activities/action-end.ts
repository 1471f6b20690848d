import type { ActionKey } from '../src/domain/action-key.ts'
import type { ActionEnd } from '../src/domain/action-run.ts'
import { sameOwner } from '../src/domain/branch-ref.ts'
import { getDeployment } from '../src/vercel/deployments.ts'
import { runStep } from './activity-call.ts'
import type { Dependencies } from './dependencies.ts'

/** What is seen of an action that a check waits for. */
export type SeenAction =
  | { readonly kind: 'ended'; readonly end: ActionEnd }
  | { readonly kind: 'open' }
  /** No run is known. `mayCome`: the deployment still waits for its actions, and a start may be on its way. */
  | { readonly kind: 'none'; readonly mayCome: boolean }

export function createActionEndActivities(dependencies: Dependencies) {
  const { actions, vercel, runs } = dependencies

  return {
    /**
     * Looks whether the action that a check waits for has ended, and how. Temporal forgets runs after some days, and a
     * check may be asked for again later: then the provider tells whether what the action made is there.
     */
    async readActionEnd({
      action,
      teamId,
    }: {
      action: ActionKey
      teamId?: string
    }): Promise<SeenAction> {
      return await runStep(dependencies, action, async (call) => {
        const end = await runs.end(action)
        if (end === 'open') return { kind: 'open' }
        if (end !== 'none') return { kind: 'ended', end }
        const { signal } = call
        const { standing } = await getDeployment(vercel, { ...action, teamId, signal })
        if (standing === 'waiting') return { kind: 'none', mayCome: true }
        const { definition } = actions.get(action.action) ?? {}
        const made = (await definition?.list?.({ ...call, action: action.action })) ?? []
        return made.some(({ owner, complete }) => complete && owner && sameOwner(owner, action))
          ? { kind: 'ended', end: { phase: 'succeeded', because: 'What it made is there.' } }
          : { kind: 'none', mayCome: false }
      })
    },
  }
}
