import { Agent, request as requestHttp } from 'undici'
import { z } from 'zod'
import { parseDuration } from '../domain/duration.ts'
import { ActionFailure } from '../domain/failure.ts'
import type { Finding } from '../domain/finding.ts'
import { Secret } from '../domain/secret.ts'
import { parseJson } from '../domain/parse-json.ts'
import { type AccessTokenSource, isToken, tokenUnknown } from './access-token.ts'
import { signRequest } from '../signing/sign-request.ts'
import { keepTokens } from './token-cache.ts'

export interface TokenEndpoint {
  /**
   * Asked as `GET url?installation_id=icfg_…`; answers 200 `{"access_token": "…"}`, or 404 for an installation that it
   * does not know. https, or http on this machine.
   */
  readonly url: string
  /**
   * Signs each request (HMAC-SHA256, headers `holdpoint-timestamp` and `holdpoint-signature`), so that the endpoint
   * tells tokens to Holdpoint only. Two, comma-separated, while it is rotated.
   */
  readonly secret: string | undefined
  /** How long a token is used before it is asked for again; one that Vercel refuses is asked for at once. Default `'1 minute'`. */
  readonly cacheFor?: string
  /** How long one answer may take. Default `'5 seconds'`. */
  readonly timeout?: string
}

const LONGEST_ANSWER_BYTES = 64 * 1024
const UNKNOWN_INSTALLATION = 'icfg_holdpoint_doctor'

const answerSchema = z.looseObject({ access_token: z.custom<string>(isToken) })

/**
 * Tokens from an endpoint of yours, for a provider that keeps them already. Throws a `TypeError` that names the option
 * which cannot be used.
 */
export function fromEndpoint(options: TokenEndpoint): AccessTokenSource {
  const endpoint = {
    url: endpointUrl(options.url),
    secrets: secretsOf(options.secret),
    timeoutMs: durationMs('timeout', options.timeout ?? '5 seconds'),
    agent: new Agent({ maxResponseSize: LONGEST_ANSWER_BYTES, keepAliveTimeout: 60_000 }),
  }
  const cacheForMs = durationMs('cacheFor', options.cacheFor ?? '1 minute')
  return {
    name: `the endpoint ${endpoint.url.origin}${endpoint.url.pathname}`,
    usesEnvironment: false,
    lacks: () => undefined,
    open: () => keepTokens((installationId) => askEndpoint(endpoint, installationId), cacheForMs),
    check: async () => [await endpointFinding(endpoint)],
  }
}

interface Endpoint {
  readonly url: URL
  readonly secrets: readonly Secret[]
  readonly timeoutMs: number
  readonly agent: Agent
}

async function askEndpoint(endpoint: Endpoint, installationId: string): Promise<Secret> {
  const { status, text } = await get(endpoint, installationId)
  const so = `so Vercel cannot be asked for installation ${installationId}`
  if (status === 404) {
    throw tokenUnknown(
      installationId,
      'The endpoint of access tokens (404) has',
      'If it was not uninstalled, let the endpoint answer for it.',
    )
  }
  if (status === 401 || status === 403) {
    throw new ActionFailure(
      'access_token_endpoint_refused',
      `The endpoint of access tokens refused the request (${status}), ${so}. Give fromEndpoint({ secret }) and the endpoint the same secret, and compare their clocks.`,
      { retryable: false },
    )
  }
  if (status !== 200) {
    const mayPass = status >= 500 || [408, 425, 429].includes(status)
    throw new ActionFailure(
      'access_token_unavailable',
      `The endpoint of access tokens answered ${status}, ${so}. ${mayPass ? 'It is tried again; the log of the endpoint has the details.' : 'Correct fromEndpoint({ url }), or the endpoint: it answers 200, or 404 for an unknown installation.'}`,
      { retryable: mayPass },
    )
  }
  const token = answerSchema.safeParse(parseJson(text)).data?.access_token
  if (token !== undefined) return new Secret(token)
  throw new ActionFailure(
    'access_token_unreadable',
    `The endpoint of access tokens answered 200 without a usable access_token, ${so}. Let it answer {"access_token": "…"}, the token being one word.`,
    { retryable: false },
  )
}

/** Sends the signed request, and answers with whatever came back. Follows no redirect: the token is for us alone. */
async function get(endpoint: Endpoint, installationId: string) {
  const url = new URL(endpoint.url)
  url.searchParams.set('installation_id', installationId)
  const path = `${url.pathname}${url.search}`
  const signal = AbortSignal.timeout(endpoint.timeoutMs)
  try {
    const { statusCode, body } = await requestHttp(url, {
      method: 'GET',
      headers: {
        accept: 'application/json',
        ...signRequest({ method: 'GET', path, body: '' }, endpoint.secrets),
      },
      dispatcher: endpoint.agent,
      signal,
    })
    return { status: statusCode, text: await body.text() }
  } catch (error) {
    const why = signal.aborted ? `none within ${endpoint.timeoutMs} ms` : codeOf(error)
    // The cause is left out on purpose: it adds nothing, and may hold a part of an answer.
    throw new ActionFailure(
      'access_token_unavailable',
      `The endpoint of access tokens gave no answer (${why}), so Vercel cannot be asked for installation ${installationId}. It is tried again; check that the endpoint runs and that fromEndpoint({ url }) leads to it.`,
      { retryable: true },
    )
  }
}

async function endpointFinding(endpoint: Endpoint): Promise<Finding> {
  const subject = 'Access tokens'
  const finding = (message: string): Finding => ({
    subject,
    level: 'error',
    message,
    fix: 'correct fromEndpoint({ … }) in temporal.config.ts, or the endpoint',
  })
  try {
    await askEndpoint(endpoint, UNKNOWN_INSTALLATION)
  } catch (error) {
    if (!(error instanceof ActionFailure)) return finding('the endpoint cannot be examined')
    if (error.code !== 'access_token_unknown') return finding(error.message)
    return { subject, level: 'ok', message: 'the endpoint answers, and takes the signature' }
  }
  return finding(`the endpoint has a token for ${UNKNOWN_INSTALLATION}, which never was`)
}

function endpointUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLocal = url && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url && !url.username && !url.password) {
    if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)) return url
  }
  // Its text is left out: it may hold a password.
  throw new TypeError(
    'fromEndpoint({ url }) must be an https URL without user and password (http on this machine only), since the answer is an access token',
  )
}

function secretsOf(text: string | undefined): Secret[] {
  const secrets = (text ?? '').split(',').flatMap((part) => part.trim() || [])
  if (secrets.length > 0) return secrets.map((secret) => new Secret(secret))
  throw new TypeError(
    'fromEndpoint({ secret }) is empty; set it to the secret that the endpoint checks the signature with',
  )
}

function durationMs(option: string, text: string): number {
  const value = parseDuration(text)
  if (value !== undefined) return value
  throw new TypeError(
    `fromEndpoint({ ${option} }) is ${JSON.stringify(text)}, which is no duration; write '5 seconds'`,
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'connection broken'
}
