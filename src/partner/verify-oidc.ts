import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import { z } from 'zod'
import { PartnerError } from './partner-error.ts'

/** Who calls: a member of the customer's team through the dashboard, or Vercel by itself. */
export type Caller =
  | {
      readonly kind: 'user'
      readonly installationId: string | undefined
      readonly accountId: string
      readonly userId: string
    }
  | {
      readonly kind: 'system'
      /** Undefined before there is an installation, as while a customer looks at plans. */
      readonly installationId: string | undefined
    }

export type CallerKind = Caller['kind']

/** Answers who calls. Throws a `PartnerError`: 401 when the token proves nothing, 503 when it cannot be checked now. */
export type VerifyOidc = (request: {
  readonly authorization: string | undefined
  /** `X-Vercel-Auth`. */
  readonly vercelAuth: string | undefined
}) => Promise<Caller>

export interface OidcSettings {
  /** https://marketplace.vercel.com: who issues the tokens, and shows the keys at `/.well-known/jwks`. */
  readonly issuer: string
  /** The integration's client id (`oac_…`), which tokens for others do not name. */
  readonly audience: string
  /**
   * How often the keys are asked for at most when a token names an unknown one, in milliseconds: it may be a new key, or
   * anybody's invention. Default 30 seconds.
   */
  readonly keysCooldownMs?: number
}

/** Clocks may differ by so much. */
const LEEWAY_SECONDS = 10
const KEYS_WITHIN_MS = 5_000
const KEYS_FRESH_FOR_MS = 10 * 60_000

// Keys that cannot be read say nothing about the token.
const KEYS_UNREADABLE = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID'])

// https://vercel.com/docs/integrations/create-integration/marketplace-api: user tokens name their user, system tokens
// may leave the installation null.
const claimsSchema = z.object({
  installation_id: z.string().min(1).nullish(),
  account_id: z.string().nullish(),
  user_id: z.string().min(1).nullish(),
})

/**
 * Checks Vercel's OIDC tokens: the signature by a key that Vercel shows now, RS256 and nothing else, issuer, audience
 * and expiry. What they allow is decided by `admit`. Keys are kept for ten minutes; a new one is found within the cooldown.
 */
export function oidcVerifier({
  issuer,
  audience,
  keysCooldownMs = 30_000,
}: OidcSettings): VerifyOidc {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks`), {
    timeoutDuration: KEYS_WITHIN_MS,
    cooldownDuration: keysCooldownMs,
    cacheMaxAge: KEYS_FRESH_FOR_MS,
  })
  return async ({ authorization, vercelAuth }) => {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) throw refused('there is no Bearer token')
    const claims = await jwtVerify(token, keys, {
      algorithms: ['RS256'],
      issuer,
      audience,
      clockTolerance: LEEWAY_SECONDS,
      requiredClaims: ['exp'],
    }).then(({ payload }) => payload, throwRefusal)
    const parsed = claimsSchema.safeParse(claims)
    if (!parsed.success) throw refused('its claims are not those of Vercel')
    const { installation_id, account_id, user_id } = parsed.data
    const kind = user_id ? 'user' : 'system'
    if (vercelAuth !== undefined && vercelAuth.toLowerCase() !== kind) {
      throw refused(`it is a ${kind} token, and X-Vercel-Auth says otherwise`)
    }
    const installationId = installation_id ?? undefined
    if (!user_id) return { kind: 'system', installationId }
    if (!account_id) throw refused('it names a user without an account')
    return { kind: 'user', installationId, accountId: account_id, userId: user_id }
  }
}

/**
 * Throws a `PartnerError` (403) unless such a caller may use the route for this installation. A token of another
 * installation, or of none, opens nothing of this one.
 */
export function admit(
  caller: Caller,
  route: { readonly callers: readonly CallerKind[]; readonly installationId: string | undefined },
): void {
  if (!route.callers.includes(caller.kind)) {
    throw new PartnerError(
      403,
      'caller_not_allowed',
      `This route is for ${route.callers.join(' and ')} tokens, so a ${caller.kind} token does nothing here: call it with one of those.`,
    )
  }
  if (route.installationId !== undefined && caller.installationId !== route.installationId) {
    throw new PartnerError(
      403,
      'installation_not_allowed',
      'The token is not of the installation in the path, so nothing of it is shown or changed: call with a token of that installation.',
    )
  }
}

function throwRefusal(error: unknown): never {
  const code = error instanceof errors.JOSEError ? error.code : undefined
  if (code === undefined || KEYS_UNREADABLE.has(code)) {
    throw new PartnerError(
      503,
      'keys_unreadable',
      'The keys of Vercel cannot be read now, so the token could not be checked and nothing was done: send the request again.',
      { cause: error },
    )
  }
  throw refused(WHY[code] ?? 'it is no token of Vercel')
}

const WHY: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'it has expired',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'it is for another audience, of another issuer, or not in time',
  ERR_JOSE_ALG_NOT_ALLOWED: 'it is not signed with RS256',
  ERR_JWKS_NO_MATCHING_KEY: 'it is signed with a key that Vercel does not show',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature is wrong',
}

function refused(why: string): PartnerError {
  return new PartnerError(
    401,
    'unauthorized',
    `The token is not taken (${why}), so nothing was done: call with a valid OIDC token of Vercel for this integration.`,
  )
}
