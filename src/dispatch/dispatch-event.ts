import type { WorkflowClient } from '@temporalio/client'
import type { ActionEvent } from '../domain/action-event.ts'
import type { Acceptance, VercelEvent } from '../domain/vercel-event.ts'
import { cancelCheckRun } from './cancel-check-run.ts'
import { registerChecks } from './register-checks.ts'
import { removeDeployment } from './remove-deployment.ts'
import { removeInstallation } from './remove-installation.ts'
import { startAction } from './start-action.ts'
import { startCheckRun } from './start-check-run.ts'
import { tellDeploymentChecks } from './tell-deployment-checks.ts'
import { transferInstallation } from './transfer-installation.ts'
import { withdrawAction } from './withdraw-action.ts'

export interface Dispatch {
  readonly workflows: WorkflowClient
  readonly taskQueue: string
  /** How long the action of this slug may take, in milliseconds; a slug that is not declared gets an answer too. */
  readonly deadlineMs: (slug: string) => number
  /** How long an action may take before `running` is reported, in milliseconds; null means never. */
  readonly reportRunningAfterMs: number | null
  /**
   * Begins what a run will need while Temporal accepts it, and asks for its first task at once. Unset where another
   * process may be the one to do it: the worker is apart, or of another version.
   */
  readonly headStarts?: {
    begin(request: Pick<ActionEvent, 'key' | 'teamId' | 'options'>): string
    drop(id: string): void
  }
  /** Whether there are checks to register when a resource is connected to a project. */
  readonly registersChecks: boolean
  /** The slugs of the checks that each deployment has (Checks API v1). Unset: none. */
  readonly deploymentChecks?: readonly string[]
  /** Unset where nothing is kept of installations. */
  readonly installations?: {
    updateInstallation(id: string, changes: { readonly teamId: string }): Promise<boolean>
  }
  /** How long Temporal may take to accept an event, in milliseconds. */
  readonly acceptWithinMs: number
}

/**
 * Hands an event to Temporal: resolves once Temporal has stored it, so that a 2xx survives the end of this process.
 * The second time it resolves with `duplicate`, or signals a run that takes the signal twice. Throws when Temporal
 * does not accept in time; a late success then does no harm, since the event will come again.
 */
export async function dispatchEvent(dispatch: Dispatch, event: VercelEvent): Promise<Acceptance> {
  const accepted = handOver(dispatch, event)
  // The client's own deadline is not kept while it cannot connect.
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new Error(`Temporal did not accept the event within ${dispatch.acceptWithinMs} ms.`),
        ),
      dispatch.acceptWithinMs,
    )
  })
  try {
    return await Promise.race([accepted, late])
  } finally {
    clearTimeout(timer)
  }
}

function handOver(dispatch: Dispatch, event: VercelEvent): Promise<Acceptance> {
  switch (event.kind) {
    case 'action': {
      const { action } = event
      if (action.wish === 'run') return startAction(dispatch, action)
      return withdrawAction(dispatch, action, action.wish)
    }
    case 'check-run': {
      const { run } = event
      return run.wish === 'run' ? startCheckRun(dispatch, run) : cancelCheckRun(dispatch, run)
    }
    case 'deployment':
      return tellDeploymentChecks(dispatch, event)
    case 'resource-connected':
      return registerChecks(dispatch, event)
    case 'installation-removed': {
      const { installationId } = event
      const because = 'Vercel told that the integration was uninstalled.'
      return removeInstallation(dispatch, { installationId, because }).then(() => 'accepted')
    }
    case 'installation-transferred':
      return transferInstallation(dispatch, event)
    case 'deployment-removed':
      return removeDeployment(dispatch, event)
  }
}
