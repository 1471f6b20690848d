import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Config } from '../config/define-config.ts'
import { type Environment, readEnvironment } from '../config/environment.ts'
import { loadConfig } from '../config/load-config.ts'
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
import type { CommonOptions } from './main.ts'
import { type Service, startService } from './service.ts'

/** The resource of the sample project: a database with a table and three rows. */
export const SAMPLE_DATABASE = 'shop'

/** Everything on this machine: Temporal, Postgres, Holdpoint, and a Vercel to deploy on. */
export interface LocalVercel {
  readonly vercel: Simulator
  readonly project: Project
  readonly service: Service
  readonly config: Config
  readonly temporal: TemporalLink
  /** The Web UI's page of the latest run of a workflow; undefined where the environment's Temporal has no known UI. */
  readonly runUrl: (workflowId: string) => string | undefined
  readonly uiUrl: string | undefined
  readonly postgresUrl: string
  close(): Promise<void>
}

export interface LocalVercelSettings {
  /** Port of the simulator and of Holdpoint; 0 for any free one. */
  readonly vercelPort: number
  readonly holdpointPort: number
  readonly verbose: boolean
  readonly onEvent?: (event: TimelineEvent) => void
}

/** Starts whatever the environment does not name, connects the sample project, and returns when all is ready. */
export async function startLocalVercel(
  options: CommonOptions,
  settings: LocalVercelSettings,
): Promise<LocalVercel> {
  const given = readEnvironment()
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
    const config = await loadConfig(options.config)
    const [temporal, postgresUrl] = await Promise.all([embedded.temporal(), embedded.postgres()])
    await createSampleDatabase(postgresUrl)
    installRuntime(log)
    // The secrets of a Vercel that lives on this machine: made up at each start, but for what names of passwords need.
    const clientSecret = given.clientSecrets[0] ?? 'local-client-secret'
    const accessToken = randomBytes(16).toString('hex')
    const vercel = await startSimulator({
      port: settings.vercelPort,
      clientSecret,
      accessToken,
      product: {
        id: 'local-product',
        name: 'Local product',
        actions: [...config.actions.values()].map(declarationOf),
      },
      ...(settings.onEvent && { onEvent: settings.onEvent }),
    })
    closers.push(() => vercel.close())
    const environment: Environment = {
      ...given,
      host: '127.0.0.1',
      port: settings.holdpointPort,
      vercelApiUrl: vercel.url,
      clientSecrets: given.clientSecrets.length > 0 ? given.clientSecrets : [clientSecret],
      accessToken,
    }
    const roles = { server: true, worker: true }
    const service = await startService({ environment, config, temporal, embedded, roles, log })
    closers.push(() => service.close())
    const link = await service.ready
    vercel.webhookUrl = `${service.url}/webhooks/vercel`
    const project = vercel.createProject({
      name: 'storefront',
      resources: [
        {
          resourceId: SAMPLE_DATABASE,
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
      config,
      temporal: link,
      uiUrl,
      runUrl: (workflowId) =>
        uiUrl &&
        `${uiUrl}/namespaces/${link.namespace}/workflows/${encodeURIComponent(workflowId)}`,
      postgresUrl,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function createSampleDatabase(serverUrl: string): Promise<void> {
  await withClient(serverUrl, async (server) => {
    const { rowCount } = await server.query('select from pg_database where datname = $1', [
      SAMPLE_DATABASE,
    ])
    if (rowCount === 0) await server.query(`create database ${SAMPLE_DATABASE}`)
  })
  const url = new URL(serverUrl)
  url.pathname = `/${SAMPLE_DATABASE}`
  await withClient(url.href, async (shop) => {
    await shop.query(
      'create table if not exists products (id integer primary key, name text not null)',
    )
    await shop.query(
      "insert into products values (1, 'anvil'), (2, 'rope'), (3, 'paint') on conflict (id) do nothing",
    )
  })
}

/** Connects, runs the work and disconnects, whatever happens. */
export async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, application_name: 'holdpoint local' })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
