import { setMaxListeners } from 'node:events'
import { actionEvent, buildWebhook, type UnsentEvent } from './build-webhook.ts'
import type { CheckRun } from './check.ts'
import { checkRunEvent } from './check-event.ts'
import { connectProject, disconnectProject } from './connect-project.ts'
import { connectionEvent } from './connection-event.ts'
import { rerequestDeploymentCheck } from './change-deployment-check.ts'
import { createDeployment } from './create-deployment.ts'
import { type Deployment, type HeldAction, snapshotDeployment } from './deployment.ts'
import type { DeploymentCheck } from './deployment-check.ts'
import { deploymentCleanupEvent, deploymentEvent } from './deployment-event.ts'
import { defaultDials } from './dials.ts'
import { cancelCheckRun } from './end-check-run.ts'
import {
  cancelAction,
  cancelDeployment,
  purgeDeployment,
  removeDeployment,
  restoreDeployment,
  skipProvisioning,
  timeOutDeployment,
} from './end-deployment.ts'
import { holdBuild } from './hold-build.ts'
import { installationMoves } from './installation-moves.ts'
import { newId } from './identifiers.ts'
import { createOidcKeys } from './oidc-keys.ts'
import { connectResource, type Installation, type Project } from './project.ts'
import { createReader } from './read-again.ts'
import type { Resource } from './resource.ts'
import { resourceMoves } from './resource-moves.ts'
import type { ResourceSurroundings } from './resource-surroundings.ts'
import { createTimers } from './schedule-timers.ts'
import { sendRawWebhook } from './send-raw-webhook.ts'
import { createWebhookSender, DEFAULT_RETRY } from './send-webhooks.ts'
import type { ActionChoice, Simulator, SimulatorOptions } from './simulator.ts'
import type { Surroundings } from './surroundings.ts'
import { createTimeline, type Timeline } from './timeline.ts'
import type { ApiDependencies } from './vercel-api.ts'
import { waitForDeployment, waitForEvent } from './wait-until.ts'

/** Everything of the simulator but its HTTP server. */
export interface Simulation {
  readonly controls: Omit<Simulator, 'url'>
  readonly api: ApiDependencies
  readonly timeline: Timeline
}

export function createSimulation(options: SimulatorOptions): Simulation {
  const { product, now = Date.now } = options
  const retry = { ...DEFAULT_RETRY, ...options.retry }
  const dials = { ...defaultDials(), ...options.dials }
  const timeline = createTimeline()
  if (options.onEvent) timeline.subscribe(options.onEvent)
  const timers = createTimers<Deployment>()
  const checkTimers = createTimers<CheckRun | DeploymentCheck>()
  const closing = new AbortController()
  // Every webhook that waits for its next try listens, and hundreds may.
  setMaxListeners(0, closing.signal)
  const installations: Installation[] = []
  const projects: Project[] = []
  const deployments = new Map<string, Deployment>()
  const { record } = timeline

  const sender = createWebhookSender({
    dials,
    retry,
    now,
    record,
    closing: closing.signal,
    url: () => controls.webhookUrl,
    clientSecret: () => controls.clientSecret,
  })

  function emit(event: UnsentEvent, { enabled }: Installation): void {
    const webhook = buildWebhook(event, now(), dials)
    if (enabled) sender.send(webhook)
    else sender.pause(webhook)
  }

  const surroundings: Surroundings = {
    dials,
    now,
    schedule: timers.schedule,
    unschedule: timers.unschedule,
    buildMs: options.buildMs ?? 50,
    provisioningTimeoutMs: options.provisioningTimeoutMs ?? 5 * 60_000,
    scheduleCheckRun: checkTimers.schedule,
    unscheduleCheckRun: checkTimers.unschedule,
    emitWebhook(kind, deployment, action) {
      emit(actionEvent(kind, deployment, action, dials), deployment.project.installation)
    },
    emitCheckRunWebhook(kind, deployment, run) {
      emit(checkRunEvent(kind, deployment, run, dials), deployment.project.installation)
    },
    emitDeploymentWebhook(kind, deployment, check) {
      if (!product.deploymentEvents) return
      emit(deploymentEvent(kind, deployment, check, dials), deployment.project.installation)
    },
    emitGone(deployment) {
      emit(deploymentCleanupEvent(deployment), deployment.project.installation)
    },
    announce(deployment, change, { action, checkRun, check, text } = {}) {
      record({
        kind: 'deployment',
        at: now(),
        change,
        deploymentId: deployment.id,
        projectName: deployment.project.name,
        ...(action && { resourceId: action.connection.resourceId, action: action.chosen.slug }),
        ...(checkRun && { checkRunId: checkRun.id, check: checkRun.check.name }),
        ...(check && { checkId: check.id, check: check.name }),
        ...(text !== undefined && { text }),
      })
    },
  }

  const keys = createOidcKeys(options.clientId ?? 'oac_local')
  const resources: Resource[] = []
  const resourceSurroundings: ResourceSurroundings = {
    resources,
    projects,
    products: options.products ?? [product.id],
    dials,
    now,
    record,
    emit,
    keys,
    // It is known once the server listens, which puts it there.
    issuer: () => (controls as Simulator).url,
    partnerUrl: () => controls.partnerUrl,
    closing: closing.signal,
  }

  function deploymentOf(id: string): Deployment {
    const deployment = deployments.get(id)
    if (!deployment) throw new Error(`There is no deployment ${id}`)
    return deployment
  }

  const reader = createReader(resourceSurroundings)
  const ofInstallations = installationMoves(installations, resourceSurroundings, (event) =>
    sender.send(buildWebhook(event, now(), dials)),
  )
  const watched = { timeline, closing: closing.signal }

  const controls: Omit<Simulator, 'url'> = {
    ...ofInstallations,
    ...resourceMoves(resourceSurroundings, installations, watched),
    product,
    dials,
    projects,
    installations,
    records: timeline.records,
    installation: ofInstallations.createInstallation({
      id: options.installationId ?? newId('icfg'),
      accessToken: options.accessToken,
    }),
    webhookUrl: options.webhookUrl,
    partnerUrl: options.partnerUrl,
    clientSecret: options.clientSecret,

    rotateSigningKey: () => keys.rotate(),
    createProject({ name, resources, env = {}, installation = controls.installation }) {
      const connections = resources.map((choice) => connectResource(product, choice))
      const project: Project = {
        id: newId('prj'),
        name,
        installation,
        connections,
        checks: [],
        env,
      }
      projects.push(project)
      for (const connection of product.checks ? connections : [])
        emit(connectionEvent('connected', project, connection), installation)
      return project
    },
    connect: (project, choice) => connectProject(project, { product, choice }, emit),
    disconnect: (project, resourceId) => disconnectProject(project, resourceId, emit),
    deploy(project, deployOptions = {}) {
      const deployment = createDeployment(project, deployOptions, { createdAt: now(), resources })
      deployments.set(deployment.id, deployment)
      holdBuild(deployment, surroundings)
      return snapshotDeployment(deployment)
    },
    cancel: (id) => cancelDeployment(deploymentOf(id), surroundings),
    cancelAction(id, wanted = {}) {
      const deployment = deploymentOf(id)
      cancelAction(deployment, actionOf(deployment, wanted), surroundings)
    },
    cancelCheckRun(id, runId) {
      const deployment = deploymentOf(id)
      cancelCheckRun(deployment, checkRunOf(deployment, runId), surroundings)
    },
    rerequestCheck(id, checkId) {
      const deployment = deploymentOf(id)
      rerequestDeploymentCheck(deployment, checkOf(deployment, checkId), surroundings)
    },
    remove: (id) => removeDeployment(deploymentOf(id), surroundings),
    restore: (id) => restoreDeployment(deploymentOf(id), surroundings),
    purge: (id) => purgeDeployment(deploymentOf(id), surroundings),
    skip: (id) => skipProvisioning(deploymentOf(id), surroundings),
    timeOut: (id) => timeOutDeployment(deploymentOf(id), surroundings),
    deployment: (id) => snapshotDeployment(deploymentOf(id)),
    deployments: () => [...deployments.values()].reverse().map(snapshotDeployment),

    until: (id, predicate, waitOptions) =>
      waitForDeployment(
        watched,
        { id, read: () => snapshotDeployment(deploymentOf(id)), predicate },
        waitOptions,
      ),
    untilEvent: waitForEvent(watched),
    sendWebhook: (webhook) =>
      sendRawWebhook(webhook, {
        dials,
        now,
        record,
        closing: closing.signal,
        url: controls.webhookUrl,
        clientSecret: controls.clientSecret,
        answerTimeoutMs: retry.answerTimeoutMs,
      }),
    actionEvent(kind, deploymentId, wanted = {}) {
      const deployment = deploymentOf(deploymentId)
      return actionEvent(kind, deployment, actionOf(deployment, wanted), dials)
    },
    checkRunEvent(kind, deploymentId, runId) {
      const deployment = deploymentOf(deploymentId)
      return checkRunEvent(kind, deployment, checkRunOf(deployment, runId), dials)
    },
    deploymentEvent(kind, deploymentId, checkId) {
      const deployment = deploymentOf(deploymentId)
      const check = checkId === undefined ? undefined : checkOf(deployment, checkId)
      return deploymentEvent(kind, deployment, check, dials)
    },
    connectionEvent(kind, project, resourceId) {
      const connection = project.connections.find((each) => each.resourceId === resourceId)
      if (!connection) throw new Error(`${project.name} has no resource ${resourceId}`)
      return connectionEvent(kind, project, connection)
    },
    releaseWebhooks: sender.release,
    async close() {
      closing.abort()
      timers.clear()
      checkTimers.clear()
      await Promise.all([sender.close(), reader.close()])
    },
  }

  return {
    controls,
    api: {
      keys,
      product,
      installations,
      projects,
      deployments,
      dials,
      surroundings,
      resourceSurroundings,
      clientSecret: () => controls.clientSecret,
      readAgain: (installation, resource) => reader.readAgain(installation, resource),
      now,
      record,
    },
    timeline,
  }
}

function checkRunOf(deployment: Deployment, runId: string): CheckRun {
  const run = deployment.checkRuns.find(({ id }) => id === runId)
  if (run) return run
  throw new Error(`${deployment.id} has no check run ${runId}`)
}

function checkOf(deployment: Deployment, checkId: string): DeploymentCheck {
  const check = deployment.checks.find(({ id }) => id === checkId)
  if (check) return check
  throw new Error(`${deployment.id} has no check ${checkId}`)
}

function actionOf(deployment: Deployment, wanted: ActionChoice): HeldAction {
  const action = deployment.actions.find(
    ({ connection, chosen }) =>
      connection.resourceId === (wanted.resourceId ?? connection.resourceId) &&
      chosen.slug === (wanted.slug ?? chosen.slug),
  )
  if (action) return action
  throw new Error(`${deployment.id} has no action ${JSON.stringify(wanted)}`)
}
