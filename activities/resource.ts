import type { ProvisionedObject } from '../src/actions/define-action.ts'
import type { ActionKey } from '../src/domain/action-key.ts'
import type { Deployment } from '../src/domain/deployment.ts'
import { runStep, type StepCall } from './activity-call.ts'
import { besideRunning } from './report-running.ts'
import { checkOptions, declaredAction } from './declared-action.ts'
import type { Dependencies } from './dependencies.ts'
import type { Step } from './opening.ts'
import { withinQuota } from './quota.ts'

/** What the steps of an action are about. */
export interface ActionStep {
  readonly key: ActionKey
  readonly teamId?: string
  readonly deployment: Deployment
  readonly options: Record<string, unknown>
  /** When the action's time is over, in milliseconds since 1970. */
  readonly deadlineAt: number
  /** What `provision` returned; undefined before. */
  readonly reference?: unknown
  /** Why the action's policy has nothing made for the deployment; unset where it has. */
  readonly skipped?: string
  /** For the first step: how long it may take before `running` is reported, in milliseconds. Unset: never. */
  readonly reportRunningAfterMs?: number
}

export function createResourceActivities(dependencies: Dependencies) {
  const { actions } = dependencies

  async function runActionStep(name: Step, step: ActionStep): Promise<unknown> {
    const { key, deployment, options, deadlineAt, reference, reportRunningAfterMs } = step
    return runStep(
      dependencies,
      key,
      async (call) => {
        const declared = declaredAction(actions, key.action)
        const { definition } = declared
        const checked = checkOptions(definition, options)
        const work = async (heard: StepCall) => {
          const stepCall = { ...heard, key, deployment, options: checked, reference }
          const takeStep = async () => definition[name]?.(stepCall)
          return name === 'provision' && declared.policy?.quota
            ? await withinQuota(declared, stepCall, takeStep)
            : await takeStep()
        }
        return reportRunningAfterMs === undefined
          ? await work(call)
          : await besideRunning(dependencies, { key, call, afterMs: reportRunningAfterMs }, work)
      },
      deadlineAt,
    )
  }

  return {
    /** Does the provider's work, or finds it done; answers what the action wants to remember of it. */
    provision: (step: ActionStep): Promise<unknown> => runActionStep('provision', step),

    /** Changes what was provisioned before the build may use it. */
    async migrate(step: ActionStep): Promise<void> {
      await runActionStep('migrate', step)
    },

    /** Returns once what was provisioned is fit for use. */
    async ready(step: ActionStep): Promise<void> {
      await runActionStep('ready', step)
    },

    /** Takes back all that was made for the key. The second time, and when there is nothing, it just succeeds. */
    async deprovision({
      key,
      deployment,
    }: Pick<ActionStep, 'key'> & Partial<Pick<ActionStep, 'deployment'>>): Promise<void> {
      await runStep(dependencies, key, async (call) => {
        const { definition } = declaredAction(actions, key.action)
        await definition.deprovision?.({ ...call, key, ...(deployment && { deployment }) })
      })
    },

    /** Everything that the action ever made and that still exists, whoever it was made for. */
    async list(action: string): Promise<ProvisionedObject[]> {
      return runStep(dependencies, { action }, async (call) => {
        return (await declaredAction(actions, action).definition.list?.({ ...call, action })) ?? []
      })
    },

    /** Destroys what nobody needs any more, if that is still so. Answers whether it is gone. */
    async expire({ action, name }: { action: string; name: string }): Promise<boolean> {
      return runStep(dependencies, { action }, async (call) => {
        const { definition } = declaredAction(actions, action)
        return (await definition.expire?.({ ...call, action, name })) ?? false
      })
    },
  }
}
