import { type Context, Hono } from 'hono'
import { answerForbidden, answerInvalid, answerNotFound } from './answer-error.ts'
import { changeResource } from './change-resource.ts'
import { forgetResource } from './forget-resource.ts'
import type { ApiEnvironment } from './observe-request.ts'
import type { Installation } from './project.ts'
import { readJson } from './read-json.ts'
import { findResource, type Resource } from './resource.ts'
import { validateResourceUpdate, validateSecretsUpdate } from './validate-resource.ts'
import type { ApiDependencies } from './vercel-api.ts'
import { viewResource } from './view-resource.ts'

type ApiContext = Context<ApiEnvironment>
type Answer = Response | Promise<Response>

const PATH = '/v1/installations/:installationId/resources'

/**
 * What the provider does with resources at Vercel. One that only a connection names can be read; to be changed it must
 * have been provisioned.
 */
export function resourceRoutes(dependencies: ApiDependencies): Hono<ApiEnvironment> {
  const { projects, resourceSurroundings } = dependencies
  const { resources } = resourceSurroundings
  const routes = new Hono<ApiEnvironment>()

  routes.get(PATH, (c) =>
    onInstallation(c, (installation) => {
      const connected = projects
        .filter((project) => project.installation === installation)
        .flatMap((project) => project.connections.map(({ resourceId }) => resourceId))
      const provisioned = resources
        .filter((resource) => resource.installation === installation)
        .map(({ id }) => id)
      const ids = new Set([...connected, ...provisioned])
      return c.json({
        resources: [...ids].flatMap((id) => viewResource(id, installation, dependencies) ?? []),
      })
    }),
  )

  routes.get(`${PATH}/:resourceId`, (c) =>
    onInstallation(c, (installation) => {
      const resource = viewResource(c.req.param('resourceId'), installation, dependencies)
      return resource ? c.json(resource) : answerNoResource(c)
    }),
  )

  routes.patch(`${PATH}/:resourceId`, (c) =>
    onResource(c, async (resource) => {
      const read = await readJson(c)
      const validation = read.kind === 'json' ? validateResourceUpdate(read.value) : read
      if (validation.kind === 'invalid') return answerInvalid(c, validation.message)
      const { secrets, ...changes } = validation.body
      changeResource(resource, { ...changes, ...secrets }, resourceSurroundings)
      return c.json({ name: resource.name })
    }),
  )

  routes.delete(`${PATH}/:resourceId`, (c) =>
    onResource(c, (resource) => {
      forgetResource(resource, resourceSurroundings)
      return c.body(null, 204)
    }),
  )

  routes.put(`${PATH}/:resourceId/secrets`, (c) =>
    onResource(c, async (resource) => {
      const read = await readJson(c)
      const validation = read.kind === 'json' ? validateSecretsUpdate(read.value) : read
      if (validation.kind === 'invalid') return answerInvalid(c, validation.message)
      changeResource(resource, validation.body, resourceSurroundings)
      return c.body(null, 201)
    }),
  )
  return routes

  function onResource(c: ApiContext, answer: (resource: Resource) => Answer): Answer {
    return onInstallation(c, (installation) => {
      const resource = findResource(resources, installation, c.req.param('resourceId') ?? '')
      return resource ? answer(resource) : answerNoResource(c)
    })
  }
}

/** Answers for the installation whose token it is, and for no other. */
export function onInstallation(
  c: ApiContext,
  answer: (installation: Installation) => Answer,
): Answer {
  const installation = c.get('installation')
  return c.req.param('installationId') === installation.id
    ? answer(installation)
    : answerForbidden(c)
}

function answerNoResource(c: ApiContext): Response {
  return answerNotFound(c, 'The resource could not be found')
}
