import { Hono } from 'hono'
import { answerForbidden, answerInvalid, answerNotFound } from './answer-error.ts'
import { newId } from './identifiers.ts'
import { accountOf } from './install.ts'
import type { ApiEnvironment } from './observe-request.ts'
import type { Installation } from './project.ts'
import { readJson } from './read-json.ts'
import { findResource } from './resource.ts'
import { onInstallation } from './resource-routes.ts'
import {
  validateEvent,
  validateInstallationUpdate,
  validateTokenRotation,
} from './validate-resource.ts'
import type { ApiDependencies } from './vercel-api.ts'

const PATH = '/v1/installations/:installationId'

/** What the provider tells Vercel of an installation, and asks of it. */
export function installationRoutes(dependencies: ApiDependencies): Hono<ApiEnvironment> {
  const { clientSecret, readAgain, resourceSurroundings } = dependencies
  const routes = new Hono<ApiEnvironment>()

  routes.patch(PATH, (c) =>
    onInstallation(c, async (installation) => {
      const read = await readJson(c)
      const validation = read.kind === 'json' ? validateInstallationUpdate(read.value) : read
      if (validation.kind === 'invalid') return answerInvalid(c, validation.message)
      updateInstallation(installation, validation.body)
      return c.body(null, 204)
    }),
  )

  routes.get(`${PATH}/account`, (c) =>
    onInstallation(c, (installation) => c.json(accountOf(installation))),
  )

  routes.post(`${PATH}/events`, (c) =>
    onInstallation(c, async (installation) => {
      const read = await readJson(c)
      const validation = read.kind === 'json' ? validateEvent(read.value) : read
      if (validation.kind === 'invalid') return answerInvalid(c, validation.message)
      const { event } = validation.body
      if (event.type === 'installation.updated') {
        readAgain(installation)
        return c.body(null, 201)
      }
      const { resources } = resourceSurroundings
      const resource = findResource(resources, installation, event.resourceId)
      if (!resource) return answerNotFound(c, 'The resource could not be found')
      readAgain(installation, resource)
      return c.body(null, 201)
    }),
  )

  routes.post(`${PATH}/credentials/rotate`, (c) =>
    onInstallation(c, async (installation) => {
      const read = await readJson(c)
      const validation = read.kind === 'json' ? validateTokenRotation(read.value) : read
      if (validation.kind === 'invalid') return answerInvalid(c, validation.message)
      if (validation.body.clientSecret !== clientSecret()) return answerForbidden(c)
      installation.accessToken = newId('token')
      return c.json({
        accessToken: installation.accessToken,
        expiresIn: YEAR_S,
        scope: '',
        tokenType: 'Bearer',
      })
    }),
  )
  return routes
}

const YEAR_S = 365 * 24 * 60 * 60

type InstallationUpdate = Extract<
  ReturnType<typeof validateInstallationUpdate>,
  { kind: 'valid' }
>['body']

function updateInstallation(
  installation: Installation,
  { status, externalId, billingPlan, notification }: InstallationUpdate,
): void {
  if (status !== undefined) installation.status = status
  if (externalId !== undefined) installation.externalId = externalId
  if (billingPlan) installation.billingPlanId = billingPlan.id
  if (notification) installation.notification = notification
  if (notification === null) delete installation.notification
}
