import { loadConfig } from '../config/load-config.ts'
import { type Environment, InvalidEnvironment, readEnvironment } from '../config/environment.ts'
import type { Config } from '../config/define-config.ts'
import { postgresStore } from '../installations/postgres-store.ts'
import { jsonLog } from '../log.ts'
import { installRuntime } from '../temporal/runtime.ts'
import { embeddedServers } from './embedded.ts'
import type { CommonOptions } from './main.ts'
import { type ServiceSettings, startService } from './service.ts'
import { tokenSource } from './token-source.ts'

/** Runs the roles until SIGTERM or SIGINT, then drains. Throws when they cannot come up or break. */
export async function runRoles(
  options: CommonOptions,
  roles: ServiceSettings['roles'],
): Promise<void> {
  const log = jsonLog()
  const environment = readEnvironment()
  const config = await loadConfig(options.config)
  const hasStore = environment.databaseUrl !== undefined
  demandSettings({ environment, config, roles, hasStore })
  installRuntime(log)
  const stopSignal = untilStopSignal()
  const embedded = await embeddedServers({
    environment,
    directory: options.dataDir,
    ephemeral: options.ephemeral,
    onProgress: (message) => log.info('embedded.progress', { message }),
    onExit: (message) => log.error('embedded.exited', { message }),
  })
  try {
    const temporal = await embedded.temporal()
    if (temporal.uiUrl) log.info('embedded.web_ui', { url: temporal.uiUrl })
    const { encryptionKeys: keys } = environment
    const store = hasStore
      ? postgresStore({ url: await embedded.installations(), keys, log })
      : undefined
    const service = await startService({
      environment,
      config,
      temporal,
      embedded,
      store,
      roles,
      log,
    })
    try {
      await Promise.race([stopSignal, service.ended])
    } finally {
      await service.close()
    }
  } finally {
    await embedded.stop()
  }
}

function demandSettings({
  environment,
  config,
  roles: { server, worker },
  hasStore,
}: {
  environment: Environment
  config: Config
  roles: ServiceSettings['roles']
  hasStore: boolean
}): void {
  const problems: string[] = []
  const given = { environmentToken: environment.accessToken !== undefined, store: hasStore }
  const tokenProblem = tokenSource(config, hasStore).lacks(given)
  if (server && environment.clientSecrets.length === 0) {
    problems.push(
      "  INTEGRATION_CLIENT_SECRET: the integration's client secret, without which no webhook can be trusted",
    )
  }
  if (worker && tokenProblem) problems.push(`  ${tokenProblem}`)
  if (config.products.size > 0 && environment.clientId !== undefined && !hasStore) {
    problems.push(
      '  HOLDPOINT_DATABASE_URL: the database of the installation store, which keeps the resources of products',
    )
  }
  if (hasStore && environment.encryptionKeys.length === 0) {
    problems.push(
      '  HOLDPOINT_ENCRYPTION_KEYS: the key that seals access tokens in the installation store, 32 bytes as `openssl rand -base64 32` makes them',
    )
  }
  if (worker && environment.clientSecrets.length === 0 && environment.encryptionKeys.length === 0) {
    problems.push(
      '  HOLDPOINT_ENCRYPTION_KEYS or INTEGRATION_CLIENT_SECRET: the key that passwords of branches are derived from',
    )
  }
  if (problems.length > 0) {
    throw new InvalidEnvironment(
      `The environment is not complete, so nothing was started. Set:\n${problems.join('\n')}`,
    )
  }
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function untilStopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130))
        resolve()
      })
    }
  })
}
