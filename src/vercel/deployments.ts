import { z } from 'zod'
import { type Deployment, deploymentStanding } from '../domain/deployment.ts'
import { requestVercel, type VercelConnection } from './client.ts'
import { originOf } from './deployment-origin.ts'
import { VercelApiError } from './errors.ts'
import { unreadableAnswer } from './unreadable-answer.ts'

const text = z.string().nullish().catch(undefined)
const textOrNumber = z.union([z.string(), z.number()]).nullish().catch(undefined)
const time = z.number().nullish().catch(undefined)

// Vercel answers in three shapes and adds enum values as it goes, so all but the id may be missing or new.
// @vercel/sdk's closed enums drop whole parts of such an answer without a word, which is why it is not used here.
const deploymentSchema = z.looseObject({
  id: z.string(),
  url: text,
  projectId: text,
  project: z.looseObject({ id: text, name: text }).nullish().catch(undefined),
  name: text,
  target: text,
  customEnvironment: z.looseObject({ id: text, slug: text }).nullish().catch(undefined),
  readyState: text,
  status: text,
  integrations: z.looseObject({ status: text }).nullish().catch(undefined),
  gitSource: z.looseObject({ ref: text, sha: text, prId: textOrNumber }).nullish().catch(undefined),
  creator: z.looseObject({ username: text }).nullish().catch(undefined),
  meta: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  source: text,
  canceledAt: time,
  deletedAt: time,
  undeletedAt: time,
})

/**
 * Reads a deployment. One that Vercel does not know or show (404, 410) is no error: it stands as `gone`. Throws
 * `VercelApiError`.
 */
export async function getDeployment(
  connection: VercelConnection,
  request: {
    installationId: string
    deploymentId: string
    teamId?: string | undefined
    signal?: AbortSignal
  },
): Promise<Deployment> {
  const { installationId, deploymentId, teamId, signal } = request
  let body: unknown
  try {
    body = await requestVercel(connection, {
      method: 'GET',
      path: ['v13', 'deployments', deploymentId],
      query: { withGitRepoInfo: 'true', teamId },
      installationId,
      ...(signal && { signal }),
    })
  } catch (error) {
    if (error instanceof VercelApiError && (error.status === 404 || error.status === 410)) {
      return { id: deploymentId, environment: 'preview', standing: 'gone' }
    }
    throw error
  }
  const parsed = deploymentSchema.safeParse(body)
  if (!parsed.success) throw unreadableAnswer(`deployment ${deploymentId}`, parsed.error)
  return toDeployment(parsed.data)
}

function toDeployment(answer: z.infer<typeof deploymentSchema>): Deployment {
  const meta = (suffix: string) =>
    ['github', 'gitlab', 'bitbucket']
      .map((host) => answer.meta?.[`${host}${suffix}`])
      .find((value): value is string => typeof value === 'string' && value !== '')
  const gitBranch = answer.gitSource?.ref || meta('CommitRef')
  const gitSha = answer.gitSource?.sha || meta('CommitSha')
  const origin = originOf(answer)
  const projectId = answer.projectId ?? answer.project?.id
  const projectName = answer.project?.name ?? answer.name
  const readyState = answer.readyState ?? answer.status
  return {
    id: answer.id,
    ...(answer.url && { url: answer.url }),
    ...(projectId && { projectId }),
    ...(projectName && { projectName }),
    // Vercel writes null for a preview.
    environment:
      answer.customEnvironment?.slug ?? answer.customEnvironment?.id ?? answer.target ?? 'preview',
    ...(gitBranch && { gitBranch }),
    ...(gitSha && { gitSha }),
    ...(answer.source && { source: answer.source }),
    ...(readyState && { readyState }),
    ...(origin && { origin }),
    standing: deploymentStanding({
      readyState: readyState ?? undefined,
      integrationsStatus: answer.integrations?.status ?? undefined,
      deletedAt: answer.deletedAt,
      undeletedAt: answer.undeletedAt,
    }),
    ...(answer.canceledAt && { canceledAtMs: answer.canceledAt }),
    ...(answer.deletedAt && { deletedAtMs: answer.deletedAt }),
  }
}
