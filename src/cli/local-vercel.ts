import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { checkSlugs } from '../config/checks.ts'
import { type Environment, readEnvironment } from '../config/environment.ts'
import type { Config } from '../config/define-config.ts'
import { memoryStore } from '../installations/memory-store.ts'
import { postgresStore } from '../installations/postgres-store.ts'
import type { InstallationStore } from '../installations/store.ts'
import type { SealingKey } from '../installations/seal.ts'
import { jsonLog, type Log, silentLog } from '../log.ts'
import {
  type Project,
  type Simulator,
  startSimulator,
  type TimelineEvent,
} from '../simulator/index.ts'
import type { TemporalLink } from '../temporal/connection.ts'
import { installRuntime } from '../temporal/runtime.ts'
import { declarationOf } from './actions.ts'
import { embeddedServers } from './embedded.ts'
import { localKey } from './local-key.ts'
import type { CommonOptions } from './main.ts'
import { createSampleDatabase } from './sample-database.ts'
import { type Service, startService } from './service.ts'

/** Everything on this machine: Temporal, Postgres, Holdpoint, and a Vercel to deploy on. */
export interface LocalVercel {
  readonly vercel: Simulator
  readonly project: Project
  readonly service: Service
  readonly store: InstallationStore
  readonly temporal: TemporalLink
  /** The Web UI's page of the latest run of a workflow; undefined where the environment's Temporal has no known UI. */
  readonly runUrl: (workflowId: string) => string | undefined
  readonly uiUrl: string | undefined
  readonly postgresUrl: string
  /** For people: the embedded server's URL; the one of the environment is not repeated. */
  readonly postgresShown: string
  close(): Promise<void>
}

export interface LocalVercelSettings {
  /** Port of the simulator and of Holdpoint; 0 for any free one. */
  readonly vercelPort: number
  readonly holdpointPort: number
  /** The resource of the sample project, created when missing: a plain lower-case name that nobody else uses. */
  readonly sampleDatabase: string
  /** What the provider offers, on the Postgres of this URL or on the embedded one. */
  readonly config: (postgresUrl: string | undefined) => Config | Promise<Config>
  readonly verbose: boolean
  readonly onEvent?: (event: TimelineEvent) => void
}

/** Starts whatever the environment does not name, connects the sample project, and returns when all is ready. */
export async function startLocalVercel(
  options: Omit<CommonOptions, 'config'>,
  settings: LocalVercelSettings,
): Promise<LocalVercel> {
  // What is made up here is nothing for the installation store of a real integration.
  const given = { ...readEnvironment(), databaseUrl: undefined }
  const log: Log = settings.verbose ? jsonLog() : silentLog
  const say = (line: string) => process.stderr.write(`  ${line}\n`)
  const embedded = await embeddedServers({
    environment: given,
    directory: options.dataDir,
    ephemeral: options.ephemeral,
    onProgress: say,
    onExit: (what) => say(what),
  })
  const closers: Array<() => Promise<unknown>> = [() => embedded.stop()]
  const close = async () => {
    for (let closer = closers.pop(); closer; closer = closers.pop()) await closer()
  }
  try {
    const loaded = await settings.config(given.postgresUrl)
    const taskQueue = localTaskQueue(options)
    // Written on all that is made, so that it is nothing to any other Holdpoint.
    const clientId = `oac_${taskQueue}`
    const config = {
      ...loaded,
      taskQueue,
      // Tokens of a real Vercel are none of a local one's.
      accessToken: undefined,
      // A Schedule would stay behind in a Temporal that is not ours.
      ...(given.temporal && { reconciliation: { ...loaded.reconciliation, everyMs: undefined } }),
    }
    const [temporal, postgresUrl] = await Promise.all([embedded.temporal(), embedded.postgres()])
    await createSampleDatabase(postgresUrl, settings.sampleDatabase)
    installRuntime(log)
    // The secrets of a Vercel that lives on this machine are made up at each start.
    const [clientSecret, accessToken] = [randomBytes(16), randomBytes(16)].map((bytes) =>
      bytes.toString('hex'),
    ) as [string, string]
    const vercel = await startSimulator({
      port: settings.vercelPort,
      clientId,
      clientSecret,
      accessToken,
      product: {
        id: 'local-product',
        name: 'Local product',
        actions: [...config.actions.values()].map(declarationOf),
        checks: checkSlugs(config.checks, 'v2').length > 0,
        deploymentEvents: checkSlugs(config.checks, 'v1').length > 0,
      },
      products: [...config.products.keys()],
      ...(settings.onEvent && { onEvent: settings.onEvent }),
    })
    closers.push(() => vercel.close())
    const environment: Environment = {
      ...given,
      host: '127.0.0.1',
      port: settings.holdpointPort,
      vercelApiUrl: vercel.url,
      marketplaceUrl: vercel.url,
      clientId,
      clientSecrets: [clientSecret],
      accessToken,
    }
    // A server of others is for their databases, and another one only for this would keep people waiting.
    const store = given.postgresUrl
      ? memoryStore()
      : postgresStore({
          url: await embedded.installations(),
          keys: await storeKeys(given, options),
          log,
        })
    const roles = { server: true, worker: true }
    const service = await startService({
      environment,
      config,
      temporal,
      embedded,
      store,
      roles,
      log,
    })
    closers.push(() => service.close())
    const link = await service.ready
    vercel.webhookUrl = `${service.url}/webhooks/vercel`
    vercel.partnerUrl = service.url
    const project = vercel.createProject({
      name: 'storefront',
      resources: [
        {
          resourceId: settings.sampleDatabase,
          actions: Object.fromEntries(
            [...config.actions.keys()].map((slug) => [slug, { environments: ['preview'] }]),
          ),
        },
      ],
    })
    const { uiUrl } = temporal
    return {
      vercel,
      project,
      service,
      store,
      temporal: link,
      uiUrl,
      runUrl: (workflowId) =>
        uiUrl &&
        `${uiUrl}/namespaces/${link.namespace}/workflows/${encodeURIComponent(workflowId)}`,
      postgresUrl,
      postgresShown: given.postgresUrl ? 'that of POSTGRES_URL' : postgresUrl,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** What seals the store. Not given to Temporal as well: people are to read in its Web UI what happens. */
async function storeKeys(
  { encryptionKeys }: Environment,
  { dataDir, ephemeral }: Omit<CommonOptions, 'config'>,
): Promise<readonly SealingKey[]> {
  if (encryptionKeys.length > 0) return encryptionKeys
  return [ephemeral ? { id: 'local', bytes: randomBytes(32) } : await localKey(resolve(dataDir))]
}

/**
 * A task queue for this data directory alone. Temporal may be one that others use too: their workers must not get
 * the work of a local Vercel, nor ours theirs.
 */
function localTaskQueue({ dataDir }: Pick<CommonOptions, 'dataDir'>): string {
  const digest = createHash('sha256')
    .update(`${hostname()} ${resolve(dataDir)}`)
    .digest('hex')
  return `holdpoint-local-${digest.slice(0, 12)}`
}
