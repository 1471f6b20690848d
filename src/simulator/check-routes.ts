import { type Context, Hono } from 'hono'
import { applyCheckUpdate } from './apply-check-update.ts'
import { answerForbidden, answerInvalid, answerNotFound, answerRefused } from './answer-error.ts'
import type { CheckRun, ProjectCheck } from './check.ts'
import type { Deployment } from './deployment.ts'
import type { Dials } from './dials.ts'
import { newId } from './identifiers.ts'
import type { ApiEnvironment } from './observe-request.ts'
import type { Project } from './project.ts'
import { readJson } from './read-json.ts'
import { refuseOutput } from './refuse-output.ts'
import {
  type CheckRegistration,
  validateCheckRunUpdate,
  validateRegistration,
} from './validate-check.ts'
import type { ApiDependencies } from './vercel-api.ts'
import { viewCheck, viewCheckRun } from './view-check.ts'

type ApiContext = Context<ApiEnvironment>

/** The routes of the Checks API v2: the checks of a project, and their runs on a deployment. */
export function checkRoutes(dependencies: ApiDependencies): Hono<ApiEnvironment> {
  const { product, projects, deployments, dials, surroundings, now } = dependencies
  const routes = new Hono<ApiEnvironment>()

  routes.get('/v2/projects/:idOrName/checks', (c) =>
    onProject(c, (project) => {
      const blocks = c.req.query('blocks')
      const listed = project.checks.filter(
        (check) => blocks === undefined || check.blocks === blocks,
      )
      return c.json({ checks: listed.map((check) => viewCheck(project, check)) })
    }),
  )

  routes.post('/v2/projects/:idOrName/checks', (c) =>
    onProject(c, async (project) => {
      const read = await readJson(c)
      const validation = read.kind === 'json' ? validateRegistration(read.value) : read
      if (validation.kind === 'invalid') return answerInvalid(c, validation.message)
      const made = Array.from({ length: dials.checksPerRegistration }, () =>
        newCheck(validation.body, now(), dials),
      )
      project.checks.push(...made)
      const [check] = made
      if (!check) throw new Error('The dial checksPerRegistration must be 1 or more')
      return c.json(viewCheck(project, check))
    }),
  )

  routes.get('/v2/deployments/:deploymentId/check-runs', (c) =>
    onDeployment(c, (deployment) =>
      c.json({ runs: deployment.checkRuns.map((run) => viewCheckRun(deployment, run)) }),
    ),
  )

  routes.get('/v2/deployments/:deploymentId/check-runs/:runId', (c) =>
    onRun(c, (deployment, run) => c.json(viewCheckRun(deployment, run))),
  )

  routes.patch('/v2/deployments/:deploymentId/check-runs/:runId', (c) =>
    onRun(c, async (deployment, run) => {
      const read = await readJson(c)
      const validation = read.kind === 'json' ? validateCheckRunUpdate(read.value) : read
      if (validation.kind === 'invalid') return answerInvalid(c, validation.message)
      const tooLarge = refuseOutput(c, validation.body.output, dials)
      if (tooLarge) return tooLarge
      const verdict = applyCheckUpdate(deployment, run, validation.body, surroundings)
      if (verdict.kind === 'refused') return answerRefused(c, verdict)
      return c.json(viewCheckRun(deployment, run))
    }),
  )
  return routes

  type Answer = Response | Promise<Response>

  function onProject(c: ApiContext, answer: (project: Project) => Answer): Answer {
    if (!product.checks) return answerForbidden(c)
    const idOrName = c.req.param('idOrName')
    const project = projects.find(({ id, name }) => id === idOrName || name === idOrName)
    if (!project || project.installation !== c.get('installation'))
      return answerNotFound(c, 'The project could not be found')
    return answer(project)
  }

  function onDeployment(c: ApiContext, answer: (deployment: Deployment) => Answer): Answer {
    const deployment = deployments.get(c.req.param('deploymentId') ?? '')
    const theirs = deployment?.project.installation !== c.get('installation')
    if (!deployment || theirs || deployment.deletedAt !== undefined)
      return answerNotFound(c, 'The deployment could not be found')
    return answer(deployment)
  }

  function onRun(c: ApiContext, answer: (deployment: Deployment, run: CheckRun) => Answer): Answer {
    return onDeployment(c, (deployment) => {
      const run = deployment.checkRuns.find(({ id }) => id === c.req.param('runId'))
      return run ? answer(deployment, run) : answerNotFound(c, 'The check run could not be found')
    })
  }
}

function newCheck(
  registration: CheckRegistration,
  createdAt: number,
  { checkTimeoutUnit }: Dials,
): ProjectCheck {
  const { name, requires, blocks, targets, timeout, isRerequestable, source } = registration
  return {
    id: newId('chk'),
    name,
    requires,
    blocks: blocks ?? 'deployment-alias',
    targets: targets ?? ['production'],
    timeout: timeout ?? (checkTimeoutUnit === 'seconds' ? 300 : 300_000),
    isRerequestable: isRerequestable ?? false,
    ...(source?.externalResourceId !== undefined && {
      externalResourceId: source.externalResourceId,
    }),
    createdAt,
  }
}
