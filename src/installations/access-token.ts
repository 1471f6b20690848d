import { ActionFailure } from '../domain/failure.ts'
import type { Finding } from '../domain/finding.ts'
import type { Log } from '../log.ts'
import type { InstallationStore } from './store.ts'

/**
 * The access token to ask Vercel with for an installation. `refused` is the token that Vercel has just refused: it is
 * not answered from a cache, as Vercel may have replaced it. Throws an `ActionFailure`, `retryable` when a token may
 * be had later without anybody doing anything.
 */
export type AccessTokenOf = (installationId: string, refused?: string) => Promise<string>

/** What a source of tokens may draw on. */
export interface TokenSurroundings {
  /** That of `VERCEL_ACCESS_TOKEN`. */
  readonly environmentToken: string | undefined
  readonly store: Pick<InstallationStore, 'accessToken'> | undefined
  readonly log: Log
}

/** Where the access tokens of installations come from. */
export interface AccessTokenSource {
  /** For people: `the environment`. */
  readonly name: string
  /** Whether the token of `VERCEL_ACCESS_TOKEN` is used where nothing else gives one. */
  readonly usesEnvironment: boolean
  /** What must be set before this source gives tokens, with why; undefined when it can. */
  lacks(given: { readonly environmentToken: boolean; readonly store: boolean }): string | undefined
  open(given: TokenSurroundings): AccessTokenOf
  /** What an operator should know or mend; for `holdpoint doctor`. Never throws. */
  check?(): Promise<Finding[]>
}

/** Whether this can be a token: one word that may stand in a header. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}

/** Nobody knows a token for the installation. */
export function tokenUnknown(installationId: string, what: string, fix: string): ActionFailure {
  return new ActionFailure(
    'access_token_unknown',
    `${what} no access token for installation ${installationId}, so Vercel cannot be asked for it. ${fix}`,
    { retryable: false },
  )
}
