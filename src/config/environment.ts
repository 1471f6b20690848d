import { createHash } from 'node:crypto'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import ms from 'ms'
import { z } from 'zod'
import { isToken } from '../installations/access-token.ts'

/** The environment, read once and checked. Every name and default stands in README's table of settings. */
export interface Environment {
  readonly port: number
  readonly host: string
  readonly vercelApiUrl: string
  /** Who issues the tokens of calls to the partner API. */
  readonly marketplaceUrl: string
  /** The integration's client id (`oac_…`). */
  readonly clientId: string | undefined
  readonly clientSecrets: readonly string[]
  readonly accessToken: string | undefined
  readonly postgresUrl: string | undefined
  /** Of the database that holds the installation store. */
  readonly databaseUrl: string | undefined
  readonly encryptionKeys: readonly { id: string; bytes: Uint8Array }[]
  /** Milliseconds; null means never. */
  readonly reportRunningAfterMs: number | null
  /** That Vercel takes of one installation. */
  readonly updatesPerMinute: number
  /** Undefined: nothing names a Temporal server, so an embedded one is to be started. */
  readonly temporal: ReturnType<typeof loadClientConnectConfig> | undefined
  readonly temporalNamespace: string
  /** Which version of which worker deployment the worker is; undefined: it takes the work of all versions. */
  readonly workerVersion: { deploymentName: string; buildId: string } | undefined
  readonly temporalCliPath: string | undefined
  readonly searchPath: string
  readonly xdgCacheHome: string | undefined
}

/** Settings that cannot be used. The message names each variable, what is wrong with it and what it must be. */
export class InvalidEnvironment extends Error {
  override readonly name = 'InvalidEnvironment'
}

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })
const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')

const variablesSchema = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().default('0.0.0.0'),
  VERCEL_API_URL: url.default('https://api.vercel.com'),
  VERCEL_MARKETPLACE_URL: url
    .default('https://marketplace.vercel.com')
    .transform((text) => text.replace(/\/+$/, '')),
  INTEGRATION_CLIENT_ID: z.string().trim().optional(),
  INTEGRATION_CLIENT_SECRET: z.string().default('').transform(commaSeparated),
  VERCEL_ACCESS_TOKEN: z
    .string()
    .trim()
    .refine(isToken, 'must be one token, without spaces or line breaks')
    .optional(),
  POSTGRES_URL: postgresUrl.optional(),
  HOLDPOINT_DATABASE_URL: postgresUrl.optional(),
  HOLDPOINT_ENCRYPTION_KEYS: z
    .string()
    .default('')
    .transform((text, context) => {
      const keys = commaSeparated(text).flatMap((entry) => encryptionKey(entry) ?? [])
      if (keys.length < commaSeparated(text).length)
        context.addIssue(
          'must be keys of 32 bytes in base64 or hex, each as key or id:key, comma-separated',
        )
      if (new Set(keys.map((key) => key.id)).size < keys.length)
        context.addIssue('must be keys with different ids')
      return keys
    }),
  HOLDPOINT_REPORT_RUNNING_AFTER: z
    .string()
    .default('0')
    .transform((text, context) => {
      if (text === 'never') return null
      const value = ms(text as ms.StringValue) as number | undefined
      if (value !== undefined && value >= 0) return value
      context.addIssue("must be a duration such as '5 seconds', or 'never'")
      return z.NEVER
    }),
  // https://vercel.com/docs/rest-api: 100 of these updates a minute, for each access token.
  HOLDPOINT_UPDATES_PER_MINUTE: z.coerce.number().int().min(1).default(100),
  // Named as Temporal's controller for Kubernetes sets them.
  TEMPORAL_DEPLOYMENT_NAME: z.string().optional(),
  TEMPORAL_WORKER_BUILD_ID: z.string().optional(),
  TEMPORAL_CLI_PATH: z.string().optional(),
  XDG_CACHE_HOME: z.string().optional(),
  PATH: z.string().default(''),
})

/** Reads the environment. The only reader of `process.env`. Throws `InvalidEnvironment`. */
export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): Environment {
  // An empty variable is one that was not set.
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
  const parsed = variablesSchema.safeParse(set)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `  ${issue.path.join('.')}: ${issue.message}`,
    )
    throw new InvalidEnvironment(
      `The environment cannot be used, so nothing was started. Correct these variables:\n${problems.join('\n')}`,
    )
  }
  const temporal = readTemporal(set as Record<string, string>)
  const { data } = parsed
  return {
    port: data.PORT,
    host: data.HOST,
    vercelApiUrl: data.VERCEL_API_URL,
    marketplaceUrl: data.VERCEL_MARKETPLACE_URL,
    clientId: data.INTEGRATION_CLIENT_ID,
    clientSecrets: data.INTEGRATION_CLIENT_SECRET,
    accessToken: data.VERCEL_ACCESS_TOKEN,
    postgresUrl: data.POSTGRES_URL,
    databaseUrl: data.HOLDPOINT_DATABASE_URL,
    encryptionKeys: data.HOLDPOINT_ENCRYPTION_KEYS,
    reportRunningAfterMs: data.HOLDPOINT_REPORT_RUNNING_AFTER,
    updatesPerMinute: data.HOLDPOINT_UPDATES_PER_MINUTE,
    temporal: temporal.connectionOptions.address ? temporal : undefined,
    temporalNamespace: temporal.namespace ?? 'default',
    workerVersion: workerVersion(data.TEMPORAL_DEPLOYMENT_NAME, data.TEMPORAL_WORKER_BUILD_ID),
    temporalCliPath: data.TEMPORAL_CLI_PATH,
    searchPath: data.PATH,
    xdgCacheHome: data.XDG_CACHE_HOME,
  }
}

function readTemporal(variables: Record<string, string>) {
  try {
    return loadClientConnectConfig({ overrideEnvVars: variables })
  } catch (error) {
    // A profile that cannot be read is shown line by line, its API key too; the first line is enough.
    const [problem] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new InvalidEnvironment(
      `The settings of Temporal cannot be used, so nothing was started. Correct the TEMPORAL_… variables, or the profile or files they name: ${problem}`,
    )
  }
}

function workerVersion(deploymentName: string | undefined, buildId: string | undefined) {
  if (deploymentName && buildId) return { deploymentName, buildId }
  if (!deploymentName && !buildId) return undefined
  throw new InvalidEnvironment(
    `The environment cannot be used, so nothing was started. Set both TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID, or neither: ${deploymentName ? 'the build id' : 'the name'} is missing, so the worker's version is not known.`,
  )
}

function commaSeparated(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function encryptionKey(entry: string): { id: string; bytes: Uint8Array } | undefined {
  const [, id, text = ''] = /^(?:([A-Za-z0-9_.-]{1,64}):)?(.+)$/.exec(entry) ?? []
  const bytes = /^[0-9a-f]{64}$/i.test(text)
    ? Buffer.from(text, 'hex')
    : Buffer.from(text, 'base64')
  if (bytes.length !== 32) return undefined
  return { id: id ?? createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes }
}
