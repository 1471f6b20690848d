import { CHECK_REGISTRATION, type RegisterChecks } from '../../workflows/messages.ts'
import { checkRegistrationWorkflowId } from '../domain/check-registration.ts'
import type { Acceptance, ResourceConnected } from '../domain/vercel-event.ts'
import { describeWork } from './describe-work.ts'
import type { Dispatch } from './dispatch-event.ts'
import { unlessKnown } from './unless-known.ts'

/**
 * Has the checks registered with the project that a resource was connected to. `duplicate` while a registration for
 * the same connection is at work, which finds what there is to do by itself; after that, a further event is a further
 * look.
 *
 * The end of a connection is ignored: no document says that the checks of an integration are to be deleted then, or
 * that Vercel does not do it by itself, and what a user has made to depend on a check must not go with it unasked.
 */
export async function registerChecks(
  { workflows, taskQueue, registersChecks }: Dispatch,
  { installationId, resourceId, projectId, connected }: ResourceConnected,
): Promise<Acceptance> {
  if (!connected || !registersChecks) return 'ignored'
  const registration = { installationId, resourceId, projectId }
  return await unlessKnown(() =>
    workflows.start<RegisterChecks>(CHECK_REGISTRATION, {
      ...describeWork(registration, {
        summary: `Checks of ${resourceId} for ${projectId}`,
        because: 'The resource was connected to the project.',
      }),
      workflowId: checkRegistrationWorkflowId(registration),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      taskQueue,
      args: [registration],
    }),
  )
}
