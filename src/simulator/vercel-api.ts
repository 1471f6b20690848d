import { type Context, Hono } from 'hono'
import { answerError } from './answer-error.ts'
import { applyUpdate } from './apply-update.ts'
import { authorizeRequests } from './authorize-request.ts'
import type { Deployment } from './deployment.ts'
import type { Dials } from './dials.ts'
import { type ApiEnvironment, observeRequests } from './observe-request.ts'
import type { Installation, Product, Project } from './project.ts'
import type { Surroundings } from './surroundings.ts'
import type { RequestRecord } from './timeline.ts'
import { validateUpdate } from './validate-update.ts'
import { viewDeployment } from './view-deployment.ts'
import { viewResource } from './view-resource.ts'

export interface ApiDependencies {
  readonly product: Product
  readonly installations: readonly Installation[]
  readonly projects: readonly Project[]
  readonly deployments: ReadonlyMap<string, Deployment>
  readonly dials: Dials
  readonly surroundings: Surroundings
  readonly now: () => number
  readonly record: (event: RequestRecord) => void
}

type ApiContext = Context<ApiEnvironment>

/** The routes of Vercel's API that an integration calls for its actions. Every error is `{error: {code, message}}`. */
export function vercelApi(dependencies: ApiDependencies): Hono<ApiEnvironment> {
  const { deployments, dials, surroundings, product, projects } = dependencies
  const api = new Hono<ApiEnvironment>()
  api.use('/:version{v\\d+}/*', observeRequests(dependencies), authorizeRequests(dependencies))

  api.get('/v13/deployments/:idOrUrl', (c) => {
    const idOrUrl = c.req.param('idOrUrl')
    const deployment =
      deployments.get(idOrUrl) ?? [...deployments.values()].find(({ url }) => url === idOrUrl)
    if (!deployment) return notFound(c, 'The deployment could not be found')
    if (deployment.project.installation !== c.get('installation'))
      return dials.foreignDeployment === 404
        ? notFound(c, 'The deployment could not be found')
        : forbidden(c)
    const unknown = deployment.purgedAt !== undefined || dials.removedDeployment === 'not-found'
    if (deployment.deletedAt !== undefined && unknown)
      return notFound(c, 'The deployment could not be found')
    if (deployment.deletedAt !== undefined && dials.removedDeployment === 'gone')
      return answerError(c, 410, { code: 'gone', message: 'The deployment was deleted' })
    const withGitRepoInfo = c.req.query('withGitRepoInfo') === 'true'
    return c.json(viewDeployment(deployment, { withGitRepoInfo }, dials))
  })

  api.patch(
    '/v1/deployments/:deploymentId/integrations/:installationId/resources/:resourceId/actions/:action',
    async (c) => {
      const { deploymentId, installationId, resourceId, action: slug } = c.req.param()
      const body = await readJson(c)
      const validation = body.kind === 'json' ? validateUpdate(body.value, dials) : body
      if (validation.kind === 'invalid')
        return answerError(c, 400, { code: 'bad_request', message: validation.message })
      if (installationId !== c.get('installation').id) return forbidden(c)
      const deployment = deployments.get(deploymentId)
      if (deployment?.project.installation.id !== installationId)
        return notFound(c, 'The deployment could not be found')
      const action = deployment.actions.find(
        ({ connection, chosen }) => connection.resourceId === resourceId && chosen.slug === slug,
      )
      if (!action) return notFound(c, 'The deployment has no such action')
      const verdict = applyUpdate(deployment, action, validation.update, surroundings)
      if (verdict.kind === 'accepted') return c.body(null, 202)
      const { status, message } = verdict
      return answerError(c, status, { code: REFUSAL_CODES[status], message })
    },
  )

  api.get('/v1/installations/:installationId/resources', (c) => {
    const installation = c.get('installation')
    if (c.req.param('installationId') !== installation.id) return forbidden(c)
    const ids = projects
      .filter((project) => project.installation === installation)
      .flatMap((project) => project.connections.map(({ resourceId }) => resourceId))
    const resources = [...new Set(ids)].flatMap(
      (id) => viewResource(id, installation, projects, product) ?? [],
    )
    return c.json({ resources })
  })

  api.get('/v1/installations/:installationId/resources/:resourceId', (c) => {
    const installation = c.get('installation')
    if (c.req.param('installationId') !== installation.id) return forbidden(c)
    const resource = viewResource(c.req.param('resourceId'), installation, projects, product)
    return resource ? c.json(resource) : notFound(c, 'The resource could not be found')
  })
  return api
}

const REFUSAL_CODES = {
  400: 'bad_request',
  404: 'not_found',
  409: 'conflict',
  410: 'gone',
} as const

type JsonBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'invalid'; readonly message: string }

// An update may come without a body; one that comes must be JSON.
async function readJson(c: ApiContext): Promise<JsonBody> {
  const text = await c.req.text()
  if (text === '') return { kind: 'json', value: {} }
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
    return { kind: 'invalid', message: 'Invalid request: the content type should be JSON' }
  try {
    return { kind: 'json', value: JSON.parse(text) }
  } catch {
    return { kind: 'invalid', message: 'Invalid JSON' }
  }
}

function notFound(c: ApiContext, message: string): Response {
  return answerError(c, 404, { code: 'not_found', message })
}

function forbidden(c: ApiContext): Response {
  return answerError(c, 403, { code: 'forbidden', message: 'Not authorized' })
}
