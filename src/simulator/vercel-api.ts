import { Hono } from 'hono'
import {
  answerError,
  answerForbidden,
  answerInvalid,
  answerNotFound,
  answerRefused,
} from './answer-error.ts'
import { applyUpdate } from './apply-update.ts'
import { authorizeRequests } from './authorize-request.ts'
import { checkRoutes } from './check-routes.ts'
import { deploymentCheckRoutes } from './deployment-check-routes.ts'
import type { Deployment } from './deployment.ts'
import type { Dials } from './dials.ts'
import { installationRoutes } from './installation-routes.ts'
import type { OidcKeys } from './oidc-keys.ts'
import { type ApiEnvironment, observeRequests } from './observe-request.ts'
import type { Installation, Product, Project } from './project.ts'
import { readJson } from './read-json.ts'
import type { Resource } from './resource.ts'
import { resourceRoutes } from './resource-routes.ts'
import type { ResourceSurroundings } from './resource-surroundings.ts'
import type { Surroundings } from './surroundings.ts'
import type { RequestRecord } from './timeline.ts'
import { validateUpdate } from './validate-update.ts'
import { viewDeployment } from './view-deployment.ts'

export interface ApiDependencies {
  readonly keys: OidcKeys
  readonly product: Product
  readonly installations: readonly Installation[]
  readonly projects: readonly Project[]
  readonly deployments: ReadonlyMap<string, Deployment>
  readonly dials: Dials
  readonly surroundings: Surroundings
  readonly resourceSurroundings: ResourceSurroundings
  readonly clientSecret: () => string
  /** Asks the provider for its state of an installation, or of one of its resources, in the background. */
  readonly readAgain: (installation: Installation, resource?: Resource) => void
  readonly now: () => number
  readonly record: (event: RequestRecord) => void
}

/** The routes of Vercel's API that an integration calls for its actions, checks and resources. Every error is `{error: {code, message}}`. */
export function vercelApi(dependencies: ApiDependencies): Hono<ApiEnvironment> {
  const { keys, deployments, dials, surroundings } = dependencies
  const api = new Hono<ApiEnvironment>()
  api.get('/.well-known/jwks', async (c) => c.json(await keys.shown()))
  api.use('/:version{v\\d+}/*', observeRequests(dependencies), authorizeRequests(dependencies))

  api.get('/v13/deployments/:idOrUrl', (c) => {
    const idOrUrl = c.req.param('idOrUrl')
    const deployment =
      deployments.get(idOrUrl) ?? [...deployments.values()].find(({ url }) => url === idOrUrl)
    if (!deployment) return answerNotFound(c, 'The deployment could not be found')
    if (deployment.project.installation !== c.get('installation'))
      return dials.foreignDeployment === 404
        ? answerNotFound(c, 'The deployment could not be found')
        : answerForbidden(c)
    const unknown = deployment.purgedAt !== undefined || dials.removedDeployment === 'not-found'
    if (deployment.deletedAt !== undefined && unknown)
      return answerNotFound(c, 'The deployment could not be found')
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
      if (validation.kind === 'invalid') return answerInvalid(c, validation.message)
      if (installationId !== c.get('installation').id) return answerForbidden(c)
      const deployment = deployments.get(deploymentId)
      if (deployment?.project.installation.id !== installationId)
        return answerNotFound(c, 'The deployment could not be found')
      const action = deployment.actions.find(
        ({ connection, chosen }) => connection.resourceId === resourceId && chosen.slug === slug,
      )
      if (!action) return answerNotFound(c, 'The deployment has no such action')
      const verdict = applyUpdate(deployment, action, validation.update, surroundings)
      if (verdict.kind === 'accepted') return c.body(null, 202)
      return answerRefused(c, verdict)
    },
  )

  api.route('/', installationRoutes(dependencies))
  api.route('/', resourceRoutes(dependencies))
  api.route('/', checkRoutes(dependencies))
  api.route('/', deploymentCheckRoutes(dependencies))
  return api
}
