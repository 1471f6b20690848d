import type { ProvisionedObject } from '../src/actions/define-action.ts'
import type { ActionKey } from '../src/domain/action-key.ts'
import type { Deployment } from '../src/domain/deployment.ts'
import { runStep } from './activity-call.ts'
import { checkOptions, declaredAction } from './declared-action.ts'
import type { Dependencies } from './dependencies.ts'

/** What the steps of an action are about. */
export interface ActionStep {
  readonly key: ActionKey
  readonly teamId?: string
  readonly deployment: Deployment
  readonly options: Record<string, unknown>
  /** When the action's time is over, in milliseconds since 1970. */
  readonly deadlineAt: number
}

export function createResourceActivities(dependencies: Dependencies) {
  const { actions } = dependencies
  return {
    /** Does the provider's work, or finds it done; answers what the action wants to remember of it. */
    async provision({ key, deployment, options, deadlineAt }: ActionStep): Promise<unknown> {
      return runStep(
        dependencies,
        key,
        async (call) => {
          const { definition } = declaredAction(actions, key.action)
          const checked = checkOptions(definition, options)
          return definition.provision?.({ ...call, key, deployment, options: checked })
        },
        deadlineAt,
      )
    },

    /** Takes back all that was made for the key. The second time, and when there is nothing, it just succeeds. */
    async deprovision(key: ActionKey): Promise<void> {
      await runStep(dependencies, key, async (call) => {
        await declaredAction(actions, key.action).definition.deprovision?.({ ...call, key })
      })
    },

    /** Everything that the action ever made and that still exists, whoever it was made for. */
    async list(action: string): Promise<ProvisionedObject[]> {
      return runStep(dependencies, { action }, async (call) => {
        return (await declaredAction(actions, action).definition.list?.(call)) ?? []
      })
    },
  }
}
