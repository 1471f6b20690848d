import type {
  CheckDeclaration,
  CheckRegistration,
  RegisteredChecks,
} from '../src/domain/check-registration.ts'
import { ActionFailure } from '../src/domain/failure.ts'
import { VercelApiError } from '../src/vercel/errors.ts'
import {
  createProjectCheck,
  listProjectChecks,
  type ProjectCheck,
} from '../src/vercel/project-checks.ts'
import { runStep } from './activity-call.ts'
import type { Dependencies } from './dependencies.ts'

export function createCheckRegistrationActivities(dependencies: Dependencies) {
  const { checks, vercel, log } = dependencies

  return {
    /**
     * Creates those of the declared checks that the project does not have for this resource. The second time, and
     * after a lost answer, it finds them. One that Vercel refuses does not keep the others from being created.
     */
    async registerChecks(registration: CheckRegistration): Promise<RegisteredChecks> {
      return await runStep(dependencies, registration, async ({ signal }) => {
        const call = { ...registration, signal }
        const there = await listProjectChecks(vercel, call)
        const created: string[] = []
        const found: string[] = []
        const refused: string[] = []
        for (const { api, declaration } of checks.values()) {
          // Those of v1 are created with each deployment.
          if (api === 'v1') continue
          const { name } = declaration
          if (there.some((check) => isOurs(check, registration, name))) {
            found.push(name)
          } else if (await create(call, declaration)) {
            created.push(name)
          } else {
            refused.push(name)
          }
        }
        log.info('checks.registered', { ...registration, created, found, refused })
        if (refused.length > 0) throw notRegistered(registration, refused)
        return { created, found }
      })
    },
  }

  /** Whether Vercel took it. */
  async function create(
    call: CheckRegistration & { signal: AbortSignal },
    declaration: CheckDeclaration,
  ): Promise<boolean> {
    try {
      await createProjectCheck(vercel, call, declaration)
      return true
    } catch (error) {
      if (!(error instanceof VercelApiError) || error.retryable) throw error
      log.error('check.refused', { ...call, signal: undefined, name: declaration.name, error })
      return false
    }
  }
}

/** Whether this is the check; where Vercel does not tell the resource, that of the same installation will do. */
function isOurs(
  { name, installationId, resourceId }: ProjectCheck,
  registration: CheckRegistration,
  wanted: string,
): boolean {
  return (
    name === wanted &&
    installationId === registration.installationId &&
    (resourceId === undefined || resourceId === registration.resourceId)
  )
}

function notRegistered({ projectId }: CheckRegistration, names: readonly string[]): ActionFailure {
  return new ActionFailure(
    'check_refused',
    `Vercel refused to register ${names.join(', ')} with ${projectId}, so no deployment of it is checked by that. The log has Vercel's answer: correct the declaration in temporal.config.ts, or switch checks on for the product in the Integration Console, and connect the resource anew.`,
    { retryable: false },
  )
}
