import { z } from 'zod'
import type { CheckDeclaration, CheckRegistration } from '../domain/check-registration.ts'
import { requestVercel, type VercelConnection } from './client.ts'
import { unreadableAnswer } from './unreadable-answer.ts'

/** A check of a project, by whom and for what it was registered. */
export interface ProjectCheck {
  readonly name: string
  readonly installationId?: string
  /** The provider's id of the resource; unset where Vercel does not tell. */
  readonly resourceId?: string
}

type ProjectCall = Pick<CheckRegistration, 'installationId' | 'projectId'> & {
  readonly signal?: AbortSignal
}

const text = z.string().nullish().catch(undefined)

const checksSchema = z.looseObject({
  checks: z.array(
    z.looseObject({
      name: z.string(),
      sourceIntegrationConfigurationId: text,
      source: z
        .looseObject({ integrationConfigurationId: text, externalResourceId: text })
        .nullish()
        .catch(undefined),
      deletedAt: z.unknown().optional(),
    }),
  ),
})

/** The checks that a project has, whoever registered them. Throws `VercelApiError`. */
export async function listProjectChecks(
  connection: VercelConnection,
  call: ProjectCall,
): Promise<ProjectCheck[]> {
  const body = await requestVercel(connection, { method: 'GET', ...addressOf(call) })
  const parsed = checksSchema.safeParse(body)
  if (!parsed.success) throw unreadableAnswer(`the checks of ${call.projectId}`, parsed.error)
  return parsed.data.checks
    .filter(({ deletedAt }) => !deletedAt)
    .map(({ name, source, sourceIntegrationConfigurationId }) => {
      // Which of the two is filled differs from answer to answer.
      const installationId = sourceIntegrationConfigurationId ?? source?.integrationConfigurationId
      const resourceId = source?.externalResourceId
      return { name, ...(installationId && { installationId }), ...(resourceId && { resourceId }) }
    })
}

/** Creates a check, the second time another one: list first. Throws `VercelApiError`. */
export async function createProjectCheck(
  connection: VercelConnection,
  { resourceId, ...call }: ProjectCall & Pick<CheckRegistration, 'resourceId'>,
  { timeoutSeconds, ...declaration }: CheckDeclaration,
): Promise<void> {
  await requestVercel(connection, {
    method: 'POST',
    ...addressOf(call),
    body: {
      ...declaration,
      ...(timeoutSeconds !== undefined && { timeout: timeoutSeconds }),
      source: { kind: 'integration', externalResourceId: resourceId },
    },
  })
}

function addressOf({ installationId, projectId, signal }: ProjectCall) {
  return {
    path: ['v2', 'projects', projectId, 'checks'],
    installationId,
    ...(signal && { signal }),
  }
}
