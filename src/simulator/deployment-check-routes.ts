import { type Context, Hono } from 'hono'
import { answerInvalid, answerNotFound, answerRefused } from './answer-error.ts'
import {
  createDeploymentCheck,
  isFinished,
  rerequestDeploymentCheck,
  updateDeploymentCheck,
} from './change-deployment-check.ts'
import type { Deployment } from './deployment.ts'
import { type DeploymentCheck, viewDeploymentCheck } from './deployment-check.ts'
import type { ApiEnvironment } from './observe-request.ts'
import { readJson } from './read-json.ts'
import { refuseOutput } from './refuse-output.ts'
import { validateCheckCreation, validateCheckUpdate } from './validate-deployment-check.ts'
import type { ApiDependencies } from './vercel-api.ts'

type ApiContext = Context<ApiEnvironment>
type Answer = Response | Promise<Response>

const CHECKS = '/v1/deployments/:deploymentId/checks'

/** The routes of the Checks API v1: the checks of a deployment, each made by an integration for this one alone. */
export function deploymentCheckRoutes(dependencies: ApiDependencies): Hono<ApiEnvironment> {
  const { deployments, dials, surroundings } = dependencies
  const routes = new Hono<ApiEnvironment>()

  routes.get(CHECKS, (c) =>
    onDeployment(c, ({ id, checks }) =>
      c.json({ checks: checks.map((check) => viewDeploymentCheck(id, check)) }),
    ),
  )

  routes.post(CHECKS, (c) =>
    onDeployment(c, async (deployment) => {
      const read = await readJson(c)
      const validation = read.kind === 'json' ? validateCheckCreation(read.value) : read
      if (validation.kind === 'invalid') return answerInvalid(c, validation.message)
      if (isFinished(deployment)) return answerInvalid(c, 'The deployment is finished already')
      const check = createDeploymentCheck(deployment, validation.body, surroundings)
      return c.json(viewDeploymentCheck(deployment.id, check))
    }),
  )

  routes.get(`${CHECKS}/:checkId`, (c) =>
    onCheck(c, ({ id }, check) => c.json(viewDeploymentCheck(id, check))),
  )

  routes.patch(`${CHECKS}/:checkId`, (c) =>
    onCheck(c, async (deployment, check) => {
      const read = await readJson(c)
      const validation = read.kind === 'json' ? validateCheckUpdate(read.value) : read
      if (validation.kind === 'invalid') return answerInvalid(c, validation.message)
      const tooLarge = refuseOutput(c, validation.body.output, dials)
      if (tooLarge) return tooLarge
      const verdict = updateDeploymentCheck(deployment, check, validation.body, surroundings)
      if (verdict.kind === 'refused') return answerRefused(c, verdict)
      return c.json(viewDeploymentCheck(deployment.id, check))
    }),
  )

  routes.post(`${CHECKS}/:checkId/rerequest`, (c) =>
    onCheck(c, (deployment, check) => {
      if (!check.rerequestable) return answerInvalid(c, 'The check is not rerequestable')
      const isRunning = c.req.query('autoUpdate') === 'true'
      rerequestDeploymentCheck(deployment, check, surroundings, { isRunning })
      return c.json(viewDeploymentCheck(deployment.id, check))
    }),
  )
  return routes

  function onDeployment(c: ApiContext, answer: (deployment: Deployment) => Answer): Answer {
    const deployment = deployments.get(c.req.param('deploymentId') ?? '')
    const theirs = deployment?.project.installation !== c.get('installation')
    if (!deployment || theirs || deployment.deletedAt !== undefined)
      return answerNotFound(c, 'The deployment could not be found')
    return answer(deployment)
  }

  function onCheck(
    c: ApiContext,
    answer: (deployment: Deployment, check: DeploymentCheck) => Answer,
  ): Answer {
    return onDeployment(c, (deployment) => {
      const check = deployment.checks.find(({ id }) => id === c.req.param('checkId'))
      return check ? answer(deployment, check) : answerNotFound(c, 'The check could not be found')
    })
  }
}
