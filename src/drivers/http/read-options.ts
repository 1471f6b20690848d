import { isIP } from 'node:net'
import { parseDuration } from '../../domain/duration.ts'
import type { Secret } from '../../domain/secret.ts'
import { type AllowList, parseAllowList, withoutBrackets } from './allow-list.ts'
import { refuseAddress } from './refuse-address.ts'
import { parseSecrets } from '../../signing/sign-request.ts'

export interface HttpOptions {
  /** Where the provider's endpoints begin: `https://api.example.com/holdpoint`. Required. */
  readonly url: string | undefined
  /**
   * Signs what goes to the provider and what comes back by callback: at least 32 characters, from a random generator.
   * Two with a comma between while it is rotated: both sign, and either is taken. Required.
   */
  readonly secret: string | undefined
  /**
   * What may be connected to although its address is not a public one: hosts with their port (`provider.internal:8443`,
   * wherever they resolve to), and ranges of addresses (`10.0.0.0/8`). Only what is named may be spoken to without
   * TLS. Default: nothing.
   */
  readonly allow?: readonly string[] | undefined
  /** How long the provider may take for one answer. Default `'10 seconds'`. */
  readonly timeout?: string | undefined
  /**
   * Where the provider reaches Holdpoint: `process.env.HOLDPOINT_PUBLIC_URL`. With it, each creation tells the provider
   * where to call back when it is done, so that nobody waits for the next look. Unset: Holdpoint just looks.
   */
  readonly publicUrl?: string | undefined
}

export interface HttpSettings {
  /** Without a slash at its end, and with nothing after its path. */
  readonly baseUrl: string
  readonly secrets: readonly Secret[]
  readonly allow: AllowList
  readonly timeoutMs: number
  readonly callbackUrl: URL | undefined
}

const LEAST_SECRET_LENGTH = 32
const LONGEST_TIMEOUT_MS = 600_000

/** Checks the options. Throws a `TypeError` that names the one that is wrong, and never quotes the secret. */
export function readOptions(options: HttpOptions): HttpSettings {
  const allow = readAllow(options.allow ?? [])
  const publicUrl = options.publicUrl ? readUrl('publicUrl', options.publicUrl) : undefined
  return {
    baseUrl: readBaseUrl(options.url ?? '', allow),
    secrets: readSecrets(options.secret ?? ''),
    allow,
    timeoutMs: readTimeout(options.timeout ?? '10 seconds'),
    callbackUrl: publicUrl && new URL(`${withoutEnd(publicUrl)}/drivers/http/callback`),
  }
}

function readBaseUrl(text: string, allow: AllowList): string {
  const url = readUrl('url', text)
  const hostname = withoutBrackets(url.hostname)
  const isNamed = allow.names(hostname, Number(url.port || (url.protocol === 'https:' ? 443 : 80)))
  const isAllowed = isNamed || allow.holds(hostname)
  const refusal = isIP(hostname) === 0 || isAllowed ? undefined : refuseAddress(hostname)
  if (refusal !== undefined)
    throw wrong('url', `leads to ${refusal}`, `name ${url.host} in allow if it is meant`)
  if (url.protocol === 'http:' && !isAllowed)
    throw wrong(
      'url',
      'has no TLS, and passwords of branches come that way',
      `use https, or name ${url.host} with its port in allow`,
    )
  return withoutEnd(url)
}

function readUrl(field: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw wrong(field, 'is no http or https URL', 'write https://api.example.com/holdpoint')
  if (url.username !== '' || url.password !== '')
    throw wrong(field, 'has a user or a password in it', 'leave them out: requests are signed')
  if (url.search !== '' || url.hash !== '')
    throw wrong(field, 'has a query or a fragment', 'end it with its path')
  return url
}

function withoutEnd(url: URL): string {
  return url.href.replace(/\/+$/, '')
}

function readSecrets(text: string): Secret[] {
  const secrets = parseSecrets(text)
  if (secrets.length === 0 || secrets.some((each) => each.reveal().length < LEAST_SECRET_LENGTH))
    throw wrong(
      'secret',
      `is not set, or shorter than ${LEAST_SECRET_LENGTH} characters`,
      'make one with: openssl rand -hex 32',
    )
  return secrets
}

function readAllow(entries: readonly string[]): AllowList {
  try {
    return parseAllowList(entries)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw wrong('allow', `has an entry that cannot be used (${error.message})`, EXAMPLE_OF_ALLOW)
  }
}

const EXAMPLE_OF_ALLOW = "write 'provider.internal:8443' or '10.0.0.0/8'"

function readTimeout(text: string): number {
  const durationMs = /^\d/.test(text) ? parseDuration(text) : undefined
  if (durationMs !== undefined && durationMs > 0 && durationMs <= LONGEST_TIMEOUT_MS)
    return durationMs
  throw wrong(
    'timeout',
    `is ${JSON.stringify(text)}, which is no duration of up to 10 minutes`,
    "write '10 seconds'",
  )
}

function wrong(field: string, problem: string, remedy: string): TypeError {
  return new TypeError(
    `http({ ${field} }) ${problem}, so no branch can be made through it: ${remedy}`,
  )
}
