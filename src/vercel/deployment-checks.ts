import { z } from 'zod'
import type { CheckConclusion } from '../domain/check-run.ts'
import {
  deploymentCheckConclusion,
  type DeploymentCheckDeclaration,
} from '../domain/deployment-check.ts'
import { requestVercel, type VercelConnection } from './client.ts'
import { unreadableAnswer } from './unreadable-answer.ts'

/** A check of a deployment (Checks API v1) as Vercel shows it; only what it is asked for. */
export interface DeploymentCheck {
  readonly id: string
  readonly name?: string
  /** What its creator knows it by; gone after a rerequest. */
  readonly externalId?: string
  /** Has a conclusion, be it that nobody gave it one in time. */
  readonly isCompleted: boolean
}

export interface DeploymentChecksCall {
  readonly installationId: string
  readonly deploymentId: string
  readonly teamId?: string | undefined
  readonly signal?: AbortSignal
}

/** What Vercel is told of a check. Its external id is in each, since a rerequest takes it away. */
export type DeploymentCheckUpdate =
  /** It is still wanted. */
  | { readonly kind: 'touched' }
  | { readonly kind: 'running'; readonly detailsUrl?: string | undefined }
  | {
      readonly kind: 'completed'
      readonly conclusion: CheckConclusion
      readonly detailsUrl?: string | undefined
    }

const text = z.string().nullish().catch(undefined)

const checkSchema = z.looseObject({
  id: z.string(),
  name: text,
  externalId: text,
  status: text,
  conclusion: text,
})

const checksSchema = z.looseObject({ checks: z.array(checkSchema) })

/** The checks of a deployment that Vercel shows us. Throws `VercelApiError`. */
export async function listDeploymentChecks(
  connection: VercelConnection,
  call: DeploymentChecksCall,
): Promise<DeploymentCheck[]> {
  const body = await requestVercel(connection, { method: 'GET', ...addressOf(call) })
  const parsed = checksSchema.safeParse(body)
  if (!parsed.success) throw unreadableAnswer(`the checks of ${call.deploymentId}`, parsed.error)
  return parsed.data.checks.map(({ id, name, externalId, status, conclusion }) => ({
    id,
    isCompleted: status === 'completed' || Boolean(conclusion),
    ...(name && { name }),
    ...(externalId && { externalId }),
  }))
}

/** Creates a check, the second time another one: list first. Answers its id. Throws `VercelApiError`. */
export async function createDeploymentCheck(
  connection: VercelConnection,
  call: DeploymentChecksCall,
  check: Omit<DeploymentCheckDeclaration, 'targets'> & { readonly externalId: string },
): Promise<string> {
  const body = await requestVercel(connection, { method: 'POST', ...addressOf(call), body: check })
  const parsed = checkSchema.safeParse(body)
  if (!parsed.success) throw unreadableAnswer(`a check of ${call.deploymentId}`, parsed.error)
  return parsed.data.id
}

/**
 * Tells Vercel where a check stands. Resolves once Vercel has taken it; how Vercel answers the second time is not
 * documented. Throws `VercelApiError`.
 */
export async function updateDeploymentCheck(
  connection: VercelConnection,
  { checkId, externalId, ...call }: DeploymentChecksCall & { checkId: string; externalId: string },
  update: DeploymentCheckUpdate,
): Promise<void> {
  await requestVercel(connection, {
    method: 'PATCH',
    ...addressOf(call, checkId),
    body: { externalId, ...updateBody(update) },
  })
}

function updateBody(update: DeploymentCheckUpdate): Record<string, unknown> {
  if (update.kind === 'touched') return {}
  const { detailsUrl } = update
  return {
    status: update.kind,
    ...(update.kind === 'completed' && {
      conclusion: deploymentCheckConclusion(update.conclusion),
    }),
    ...(detailsUrl !== undefined && { detailsUrl }),
  }
}

function addressOf(
  { installationId, deploymentId, teamId, signal }: DeploymentChecksCall,
  ...rest: string[]
) {
  return {
    path: ['v1', 'deployments', deploymentId, 'checks', ...rest],
    query: { teamId },
    installationId,
    ...(signal && { signal }),
  }
}
