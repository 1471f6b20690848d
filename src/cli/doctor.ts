import { type Environment, readEnvironment } from '../config/environment.ts'
import type { Config } from '../config/define-config.ts'
import { driversOf } from '../config/drivers-of.ts'
import { loadConfig } from '../config/load-config.ts'
import type { Finding } from '../domain/finding.ts'
import type { AccessTokenSource } from '../installations/access-token.ts'
import { postgresStore } from '../installations/postgres-store.ts'
import type { InstallationStore } from '../installations/store.ts'
import { silentLog } from '../log.ts'
import { connectTemporal } from '../temporal/connection.ts'
import { checkNamespace, checkPollers } from '../temporal/prepare-namespace.ts'
import { checkReconciliation } from '../temporal/reconciliation-schedule.ts'
import { installRuntime } from '../temporal/runtime.ts'
import { checkVercelAccess } from '../vercel/check-access.ts'
import type { CommonOptions } from './main.ts'
import { tokenSource } from './token-source.ts'

/** Prints what is in order and what is not, with the fix. The exit code is 1 when something must be mended. */
export async function doctor(options: CommonOptions): Promise<void> {
  const findings = await examine(options)
  for (const { subject, level, message, fix } of findings) {
    const mark = { ok: 'ok   ', warning: 'WARN ', error: 'ERROR' }[level]
    process.stdout.write(`${mark}  ${subject}: ${message}\n${fix ? `         fix: ${fix}\n` : ''}`)
  }
  const errors = findings.filter((finding) => finding.level === 'error').length
  process.stdout.write(errors === 0 ? '\nReady.\n' : `\n${errors} to mend.\n`)
  if (errors > 0) process.exitCode = 1
}

async function examine(options: CommonOptions): Promise<Finding[]> {
  let environment: Environment
  let config: Config
  try {
    environment = readEnvironment()
    config = await loadConfig(options.config)
  } catch (error) {
    return [failed('Settings', error, 'correct what the message names')]
  }
  return [
    {
      subject: 'Configuration',
      level: 'ok',
      message: `${config.actions.size} actions: ${[...config.actions.keys()].join(', ')}`,
    },
    ...productFindings(environment, config),
    secretFinding(environment),
    ...(await temporalFindings(environment, config)),
    ...(await driverFindings(config)),
    ...(await installationFindings(environment, config)),
  ]
}

/** Without the store and the partner API a product is there for nobody. */
function productFindings({ databaseUrl, clientId }: Environment, { products }: Config): Finding[] {
  if (products.size === 0) return []
  const subject = 'Products'
  const declared = `${products.size}: ${[...products.keys()].join(', ')}`
  const missing = [
    ...(databaseUrl === undefined ? ['HOLDPOINT_DATABASE_URL'] : []),
    ...(clientId === undefined ? ['INTEGRATION_CLIENT_ID'] : []),
  ]
  if (missing.length === 0) return [{ subject, level: 'ok', message: declared }]
  return [
    {
      subject,
      level: 'error',
      message: `${declared}; nobody can provision them, as there is no ${databaseUrl === undefined ? 'installation store' : 'partner API'}`,
      fix: `set ${missing.join(' and ')}`,
    },
  ]
}

function secretFinding({ clientSecrets }: Environment): Finding {
  const subject = 'Client secret'
  switch (clientSecrets.length) {
    case 0:
      return {
        subject,
        level: 'error',
        message: 'none, so no webhook can be trusted',
        fix: 'set INTEGRATION_CLIENT_SECRET to the client secret of the integration',
      }
    case 1:
      return { subject, level: 'ok', message: 'one' }
    case 2:
      return { subject, level: 'ok', message: 'two, as while one is being rotated' }
    default:
      return {
        subject,
        level: 'warning',
        message: `${clientSecrets.length}, each of which opens the door`,
        fix: 'remove those that Vercel no longer signs with from INTEGRATION_CLIENT_SECRET',
      }
  }
}

async function temporalFindings(environment: Environment, config: Config): Promise<Finding[]> {
  const subject = 'Temporal'
  if (!environment.temporal) {
    return [
      {
        subject,
        level: 'warning',
        message: 'no address, so an embedded development server would be started',
        fix: 'set TEMPORAL_ADDRESS for anything but development',
      },
    ]
  }
  installRuntime(silentLog)
  const { connectionOptions } = environment.temporal
  try {
    const link = await connectTemporal(
      { connectionOptions, namespace: environment.temporalNamespace },
      {},
    )
    try {
      return [
        { subject, level: 'ok', message: `${connectionOptions.address} answers` },
        ...(await checkNamespace(link)),
        await checkPollers(link, config.taskQueue),
        await checkReconciliation(link, config),
      ]
    } finally {
      await link.connection.close()
    }
  } catch (error) {
    return [
      failed(
        subject,
        error,
        'start Temporal, or correct TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS and API key',
      ),
    ]
  }
}

async function driverFindings(config: Config): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const driver of driversOf(config)) {
    findings.push(...(await driver.check()))
    await driver.close()
  }
  return findings
}

async function installationFindings(environment: Environment, config: Config): Promise<Finding[]> {
  const { databaseUrl, encryptionKeys: keys } = environment
  const source = tokenSource(config, databaseUrl !== undefined)
  let store: InstallationStore | undefined
  try {
    if (databaseUrl !== undefined) store = postgresStore({ url: databaseUrl, keys })
    return [
      ...((await store?.check()) ?? []),
      ...((await source.check?.()) ?? []),
      ...(await vercelFindings(environment, { source, store })),
    ]
  } catch (error) {
    const fix = 'set HOLDPOINT_DATABASE_URL and HOLDPOINT_ENCRYPTION_KEYS as the message says'
    return [failed('Installation store', error, fix)]
  } finally {
    await store?.close()
  }
}

/** Asks Vercel with the token of the environment, or of an installation in the store. */
async function vercelFindings(
  { accessToken: environmentToken, vercelApiUrl }: Environment,
  tokens: { source: AccessTokenSource; store: InstallationStore | undefined },
): Promise<Finding[]> {
  const subject = 'Vercel token'
  const { source, store } = tokens
  const lacking = source.lacks({
    environmentToken: environmentToken !== undefined,
    store: store !== undefined,
  })
  if (lacking) {
    const message = 'none, so no build can be released'
    return [{ subject, level: 'error', message, fix: `set ${lacking}` }]
  }
  const installationId = await anyInstallation(store)
  if (installationId === undefined && !(source.usesEnvironment && environmentToken)) {
    const message = `from ${source.name}; not tried, as no installation is known here`
    return [{ subject, level: 'ok', message }]
  }
  return await checkVercelAccess(
    {
      baseUrl: vercelApiUrl,
      accessToken: source.open({ environmentToken, store, log: silentLog }),
      timeoutMs: 10_000,
    },
    installationId,
  )
}

/** One that is in use; of a store that cannot be read the check of it tells. */
async function anyInstallation(store: InstallationStore | undefined): Promise<string | undefined> {
  const installations = (await store?.listInstallations().catch(() => [])) ?? []
  return installations.find(({ state }) => state === 'active')?.id
}

function failed(subject: string, error: unknown, fix: string): Finding {
  return {
    subject,
    level: 'error',
    message: error instanceof Error ? error.message : String(error),
    fix,
  }
}
