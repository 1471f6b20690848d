import { type Context, Hono } from 'hono'
import { csrf } from 'hono/csrf'
import { z } from 'zod'
import { answerError, answerInvalid, answerNotFound } from './answer-error.ts'
import { answerPost, readRequest, withoutValues } from './control-request.ts'
import type { DeploymentSnapshot } from './deployment.ts'
import { newId } from './identifiers.ts'
import { renderPage } from './render-page.ts'
import { resourceControlRoutes } from './resource-control-routes.ts'
import type { Simulator } from './simulator.ts'

const deployRequest = z.strictObject({
  project: z.string(),
  environment: z.string().trim().min(1).default('preview'),
  gitBranch: z.string().trim().default(''),
})

const connectRequest = z.strictObject({ resourceId: z.string().trim().min(1) })

/**
 * What a person does in Vercel's dashboard, for a browser and for curl:
 *
 *     GET  /                                        the page
 *     GET  /simulator/deployments                   all deployments, the newest first
 *     GET  /simulator/deployments/{id}              one of them
 *     POST /simulator/deployments                   {project, environment?, gitBranch?}: deploys; project is a name
 *     POST /simulator/deployments/{id}/cancel
 *     POST /simulator/deployments/{id}/delete
 *     POST /simulator/deployments/{id}/skip         goes on without the resources
 *     POST /simulator/deployments/{id}/check-runs/{run}/cancel
 *     POST /simulator/deployments/{id}/checks/{check}/rerequest
 *     POST /simulator/projects/{name}/connect       {resourceId}: with the suggested actions
 *     POST /simulator/projects/{name}/disconnect    {resourceId}
 *     …    /simulator/installations…                see `resourceControlRoutes`
 *
 * Posts take a form, from this page only, and are answered with the page; or JSON, answered with the deployment:
 *
 *     curl -H 'content-type: application/json' -d '{"project":"shop"}' http://127.0.0.1:3001/simulator/deployments
 *
 * Answers have the names of variables and never their values.
 */
export function controlRoutes(simulator: Omit<Simulator, 'url'>): Hono {
  const routes = new Hono()
  routes.use('/simulator/*', csrf())

  routes.get('/', (c) => {
    const nonce = newId('nonce')
    c.header('Content-Security-Policy', contentPolicy(nonce))
    c.header('Cache-Control', 'no-store')
    return c.html(renderPage(simulator, nonce))
  })

  routes.get('/simulator/deployments', (c) =>
    c.json({ deployments: simulator.deployments().map(withoutValues) }),
  )
  routes.get('/simulator/deployments/:id', (c) => {
    const deployment = find(simulator, c.req.param('id'))
    return deployment ? c.json(withoutValues(deployment)) : noDeployment(c)
  })

  routes.post('/simulator/deployments', async (c) => {
    const request = deployRequest.safeParse(await readRequest(c))
    if (!request.success) return answerInvalid(c, z.prettifyError(request.error))
    const { project: name, environment, gitBranch } = request.data
    const project = simulator.projects.find((candidate) => candidate.name === name)
    if (!project) return answerNotFound(c, `There is no project ${name}`)
    const deployment = simulator.deploy(project, {
      environment,
      ...(gitBranch !== '' && { gitBranch }),
    })
    return answerPost(c, withoutValues(deployment), 201)
  })

  const moves = { cancel: simulator.cancel, delete: simulator.remove, skip: simulator.skip }
  for (const [move, make] of Object.entries(moves)) {
    routes.post(`/simulator/deployments/:id/${move}`, (c) =>
      answerMove(c, c.req.param('id'), (id) => make(id)),
    )
  }
  routes.post('/simulator/deployments/:id/check-runs/:runId/cancel', (c) =>
    answerMove(c, c.req.param('id'), (id) => simulator.cancelCheckRun(id, c.req.param('runId'))),
  )

  routes.post('/simulator/deployments/:id/checks/:checkId/rerequest', (c) =>
    answerMove(c, c.req.param('id'), (id) => simulator.rerequestCheck(id, c.req.param('checkId'))),
  )

  routes.post('/simulator/projects/:name/:move{connect|disconnect}', async (c) => {
    const request = connectRequest.safeParse(await readRequest(c))
    if (!request.success) return answerInvalid(c, z.prettifyError(request.error))
    const { name, move } = c.req.param()
    const project = simulator.projects.find((candidate) => candidate.name === name)
    if (!project) return answerNotFound(c, `There is no project ${name}`)
    const { resourceId } = request.data
    return answering(c, () => {
      if (move === 'connect') simulator.connect(project, { resourceId })
      else simulator.disconnect(project, resourceId)
      const { id, connections } = project
      return answerPost(c, { id, name, connections })
    })
  })

  routes.route('/', resourceControlRoutes(simulator))
  return routes

  function answerMove(c: Context, id: string, make: (id: string) => void): Response {
    const deployment = find(simulator, id)
    if (!deployment) return noDeployment(c)
    return answering(c, () => {
      make(deployment.id)
      return answerPost(c, withoutValues(simulator.deployment(deployment.id)))
    })
  }
}

function answering(c: Context, answer: () => Response): Response {
  try {
    return answer()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return answerError(c, 409, { code: 'conflict', message })
  }
}

function contentPolicy(nonce: string): string {
  const inline = `'nonce-${nonce}'`
  return `default-src 'none'; style-src ${inline}; script-src ${inline}; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`
}

function find(simulator: Omit<Simulator, 'url'>, id: string): DeploymentSnapshot | undefined {
  return simulator.deployments().find((deployment) => deployment.id === id)
}

function noDeployment(c: Context): Response {
  return answerNotFound(c, 'There is no such deployment')
}
