import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Environment } from '../config/environment.ts'
import type { EmbeddedServers } from '../drivers/driver.ts'
import { startEmbeddedPostgres } from '../drivers/postgres/embedded-server.ts'
import type { TemporalAddress } from '../temporal/connection.ts'
import { startDevServer } from '../temporal/dev-server.ts'
import { cliCacheDirectory, findTemporalCli } from '../temporal/find-cli.ts'
import { ensureDatabase } from './ensure-database.ts'

/** The servers this process runs for lack of others. */
export interface Embedded extends EmbeddedServers {
  /** What the environment names, else an embedded server, with its Web UI. */
  temporal(): Promise<TemporalAddress & { uiUrl?: string }>
  /**
   * The database of the installation store: the one that the environment names, else `holdpoint` on the embedded
   * Postgres, made when missing. Never on a server of others that holds the resources.
   */
  installations(): Promise<string>
  /** Ends what was started, and forgets its data where it is ephemeral. A second call does nothing. */
  stop(): Promise<void>
}

export interface EmbeddedSettings {
  readonly environment: Environment
  /** Where data is kept between runs. */
  readonly directory: string
  /** Keep nothing: data goes to a temporary place and is deleted at the end. */
  readonly ephemeral: boolean
  readonly onProgress: (line: string) => void
  readonly onExit: (what: string) => void
}

const STORE_DATABASE = 'holdpoint'

/** Starts servers when they are first asked for, and each only once. */
export async function embeddedServers(settings: EmbeddedSettings): Promise<Embedded> {
  const { environment, ephemeral, onProgress, onExit } = settings
  const directory = ephemeral
    ? await mkdtemp(join(tmpdir(), 'holdpoint-'))
    : resolve(settings.directory)
  const stops: Array<() => Promise<void>> = []

  const startTemporal = async (): Promise<TemporalAddress & { uiUrl?: string }> => {
    const namespace = environment.temporalNamespace
    if (environment.temporal)
      return { connectionOptions: environment.temporal.connectionOptions, namespace }
    const cliPath = await findTemporalCli({
      cliPath: environment.temporalCliPath,
      searchPath: environment.searchPath,
      cacheDirectory: cliCacheDirectory(environment.xdgCacheHome),
      onProgress,
    })
    const server = await startDevServer({
      cliPath,
      directory: ephemeral ? undefined : join(directory, 'temporal'),
      logFile: join(directory, 'temporal', 'server.log'),
      namespace,
      onProgress,
      onExit: (detail) => onExit(`The embedded Temporal server ${detail}`),
    })
    stops.push(() => server.stop())
    return { connectionOptions: { address: server.address }, namespace, uiUrl: server.uiUrl }
  }
  const startPostgres = async (): Promise<string> => {
    const server = await startEmbeddedPostgres({
      directory: join(directory, 'postgres'),
      ephemeral,
      onProgress,
    })
    stops.push(() => server.stop())
    return server.url
  }

  let temporal: ReturnType<typeof startTemporal> | undefined
  let postgres: ReturnType<typeof startPostgres> | undefined
  const ownPostgres = () => (postgres ??= startPostgres())
  return {
    temporal: () => (temporal ??= startTemporal()),
    postgres: async () => environment.postgresUrl ?? (await ownPostgres()),
    installations: async () =>
      environment.databaseUrl ?? (await ensureDatabase(await ownPostgres(), STORE_DATABASE)),
    async stop() {
      for (let stop = stops.pop(); stop; stop = stops.pop()) await stop()
      if (ephemeral) await rm(directory, { recursive: true, force: true })
    },
  }
}
