import { setTimeout as delay } from 'node:timers/promises'
import type { Worker } from '@temporalio/worker'
import { createActivities, HeadStarts, readOpening } from '../../activities/index.ts'
import { checkSlugs } from '../config/checks.ts'
import type { Config } from '../config/define-config.ts'
import { secretDeriver } from '../config/derive-secret.ts'
import { driversOf, productDrivers } from '../config/drivers-of.ts'
import type { Environment } from '../config/environment.ts'
import { type Dispatch, dispatchEvent } from '../dispatch/dispatch-event.ts'
import { ActionFailure } from '../domain/failure.ts'
import type { EmbeddedServers } from '../drivers/driver.ts'
import type { InstallationStore } from '../installations/store.ts'
import { httpDriversOf } from '../drivers/http/callback-route.ts'
import type { Log } from '../log.ts'
import { createApp } from '../server/app.ts'
import { type Listener, listen } from '../server/listen.ts'
import { cancelRun, confirmAttempt } from '../temporal/ask-temporal.ts'
import { connectTemporal, type TemporalAddress, type TemporalLink } from '../temporal/connection.ts'
import { dataConverter } from '../temporal/data-converter.ts'
import { checkNamespace, prepareNamespace } from '../temporal/prepare-namespace.ts'
import { pingTemporal, proveWorkflows } from '../temporal/readiness.ts'
import { scheduleReconciliation } from '../temporal/reconciliation-schedule.ts'
import { bundledWorkflows, createWorker } from '../temporal/worker.ts'
import { becomeFirstVersion } from '../temporal/worker-version.ts'
import type { VercelConnection } from '../vercel/client.ts'
import { createUpdatePace } from '../vercel/update-pace.ts'
import { actionRuns } from './action-runs.ts'
import { partnerDoor } from './partner-door.ts'
import { tokenSource } from './token-source.ts'

export interface ServiceSettings {
  readonly environment: Environment
  readonly config: Config
  readonly temporal: TemporalAddress
  readonly embedded: EmbeddedServers
  /** Where installations are kept. It is prepared and closed by the service. */
  readonly store?: InstallationStore | undefined
  readonly roles: { readonly server: boolean; readonly worker: boolean }
  readonly log: Log
  /** Where the bundled workflow code is; unset, where `npm run build` puts it. */
  readonly workflowBundle?: { readonly codePath: string }
}

export interface Service {
  /** Where webhooks come in; undefined for a worker alone. */
  readonly url: string | undefined
  /** Resolves once webhooks can be accepted and processed. Rejects when the service cannot come up at all. */
  readonly ready: Promise<TemporalLink>
  /** Resolves when the service was closed, rejects when it broke. */
  readonly ended: Promise<void>
  /** Takes no new webhook and no new task, lets what is in hand finish, and closes every connection. */
  close(): Promise<void>
}

const ACCEPT_WITHIN_MS = 5000
const TRY_AGAIN_AFTER_MS = 500
const DEADLINE_OF_UNDECLARED_ACTIONS_MS = 120_000

/** Runs the roles in this process. The server listens at once and answers 503 until Temporal and a worker answer. */
export async function startService(settings: ServiceSettings): Promise<Service> {
  const { environment, config, store, roles, log } = settings
  let link: TemporalLink | undefined
  let unreadyBecause: string | undefined = 'Holdpoint is starting.'
  const running: { worker: Worker; stopped: Promise<unknown> }[] = []
  let closing = false
  let breakDown: (error: unknown) => void = () => {}
  let finish: () => void = () => {}
  const ended = new Promise<void>((resolve, reject) => {
    finish = resolve
    breakDown = reject
  })

  const holdpoint = holdpointId(environment, config)
  const deriveSecrets = secretDeriver(derivationKeys(environment))
  const vercel = connectVercel(settings)
  const { actions, checks, products } = config
  const stored = store && { installations: store }
  const known = { actions, checks, products, vercel, ...stored }
  const headStarts = new HeadStarts((request) => readOpening(known, request))
  const dispatchTo = ({ client }: TemporalLink): Dispatch => ({
    workflows: client.workflow,
    taskQueue: config.taskQueue,
    deadlineMs: (slug) => actions.get(slug)?.deadlineMs ?? DEADLINE_OF_UNDECLARED_ACTIONS_MS,
    reportRunningAfterMs: environment.reportRunningAfterMs,
    ...(roles.worker && !environment.workerVersion && { headStarts }),
    registersChecks: checkSlugs(checks, 'v2').length > 0,
    deploymentChecks: checkSlugs(checks, 'v1'),
    ...stored,
    acceptWithinMs: ACCEPT_WITHIN_MS,
  })
  const activitiesFor = (opened: TemporalLink) =>
    createActivities({
      ...known,
      log,
      headStarts,
      holdpoint,
      deriveSecrets,
      confirmAttempt: (taskToken) => confirmAttempt(opened.client, taskToken),
      cancelRun: (run) => cancelRun(opened.client, run),
      runs: actionRuns(opened.client, dispatchTo(opened)),
    })

  const accept: Parameters<typeof createApp>[0]['accept'] = async (event) => {
    if (!link) throw new Error('There is no connection to Temporal yet.')
    return await dispatchEvent(dispatchTo(link), event)
  }
  const unready = async () => {
    if (closing) return 'Holdpoint is shutting down.'
    if (unreadyBecause !== undefined || !link) return unreadyBecause
    return await pingTemporal(link, 2000).then(
      () => undefined,
      () => 'Temporal does not answer.',
    )
  }

  let listener: Listener | undefined
  if (roles.server) {
    const drivers = [...actions.values()].map(({ definition }) => definition.driver)
    const app = createApp({
      secrets: environment.clientSecrets,
      accept,
      unready,
      httpDrivers: httpDriversOf(drivers),
      partner: partnerDoor({
        environment,
        config,
        store,
        dispatch: () => (link && unreadyBecause === undefined ? dispatchTo(link) : undefined),
        holdpoint,
        deriveSecrets,
        log,
      }),
      log,
    })
    listener = await listen(app, environment)
    log.info('server.listening', { url: listener.url })
  }

  /** Tries until it succeeds, as what we need may come up later than we do; says meanwhile why webhooks wait. */
  const persist = async <Result>(attempt: () => Promise<Result>): Promise<Result> => {
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        if (closing || !(error instanceof ActionFailure) || !error.retryable) throw error
        if (unreadyBecause !== error.message) log.warn('service.waiting', { error })
        unreadyBecause = error.message
        await delay(TRY_AGAIN_AFTER_MS)
      }
    }
  }

  const comeUp = async (): Promise<TemporalLink> => {
    const converter = dataConverter(environment.encryptionKeys)
    const opened = await persist(() => connectTemporal(settings.temporal, converter))
    link = opened
    await persist(() => fitNamespace(opened))
    if (store) await persist(() => store.prepare())
    // The door itself asks for the secrets of resources, and nothing else of a driver.
    for (const driver of roles.worker ? driversOf(config) : productDrivers(config)) {
      await persist(async () => driver.prepare?.(settings.embedded))
    }
    if (roles.worker) {
      const worker = await createWorker(opened, {
        taskQueue: config.taskQueue,
        activities: activitiesFor(opened),
        workflowBundle:
          settings.workflowBundle ?? bundledWorkflows(environment.encryptionKeys.length > 0),
        dataConverter: converter,
        version: environment.workerVersion,
      })
      const run = worker.run()
      running.push({ worker, stopped: run.catch(() => {}) })
      run.then(() => closing || breakDown(new Error('The worker stopped by itself.')), breakDown)
    }
    const version = roles.worker ? environment.workerVersion : undefined
    if (version) await persist(() => becomeFirstVersion(opened, version))
    await persist(() => proveWorkflows(opened, config.taskQueue, version))
    if (roles.worker) await scheduleReconciliation(opened, config, log)
    unreadyBecause = undefined
    log.info('service.ready', { roles, taskQueue: config.taskQueue, namespace: opened.namespace })
    return opened
  }

  const ready = comeUp()
  ready.catch(breakDown)
  // Whoever waits for the end hears of it; nobody has to.
  ended.catch(() => {})

  return {
    url: listener?.url,
    ready,
    ended,
    async close() {
      if (closing) return await ended
      closing = true
      log.info('service.draining')
      await listener?.close()
      for (const { worker, stopped } of running) {
        if (worker.getState() === 'RUNNING') worker.shutdown()
        await stopped
      }
      for (const driver of driversOf(config)) await driver.close()
      await link?.connection.close()
      await store?.close()
      log.info('service.closed')
      finish()
    },
  }
}

/** Gives the namespace what Holdpoint needs. Throws with the commands to run when it may not. */
async function fitNamespace(link: TemporalLink): Promise<void> {
  await prepareNamespace(link)
  const faults = (await checkNamespace(link)).filter((finding) => finding.level === 'error')
  if (faults.length === 0) return
  throw new Error(
    faults.map(({ subject, message, fix }) => `${subject}: ${message}. Run: ${fix}`).join('\n'),
  )
}

/**
 * Which Holdpoint this is, the same after any restart: an installation belongs to one integration. Without its id,
 * the place where the work is kept must do.
 */
export function holdpointId(
  { clientId, temporalNamespace }: Pick<Environment, 'clientId' | 'temporalNamespace'>,
  { taskQueue }: Pick<Config, 'taskQueue'>,
): string {
  return clientId ?? `${temporalNamespace}/${taskQueue}`
}

function connectVercel({ environment, config, store, log }: ServiceSettings): VercelConnection {
  const { accessToken: environmentToken, vercelApiUrl, updatesPerMinute } = environment
  return {
    baseUrl: vercelApiUrl,
    accessToken: tokenSource(config, store !== undefined).open({ environmentToken, store, log }),
    timeoutMs: 10_000,
    pace: createUpdatePace({ updates: updatesPerMinute, windowMs: 60_000 }),
  }
}

/** All keys that passwords were derived from, as long as they are configured; the first is in force. */
function derivationKeys({ encryptionKeys, clientSecrets }: Environment) {
  const [current, ...older] = [...encryptionKeys.map((key) => key.bytes), ...clientSecrets]
  if (current === undefined)
    throw new Error('There is no key to derive passwords of branches from.')
  return [current, ...older] as const
}
