import { ActionFailure } from '../../domain/failure.ts'
import type { ProviderError } from './answer-schemas.ts'

const MOST_SHOWN_CHARACTERS = 200

const FINAL_CODES = new Set([
  'branch_owner_mismatch',
  'branch_missing',
  'source_missing',
  'source_forbidden',
])

/** An answer that is no success, as a decision. `doing` is what failed: "the branch x was not made". */
export function refusedAnswer(
  answer: {
    readonly status: number
    readonly error: ProviderError | undefined
    readonly retryAfterMs: number | undefined
  },
  doing: string,
): ActionFailure {
  const { status, error, retryAfterMs } = answer
  if (status === 401)
    return new ActionFailure(
      'provider_refused_signature',
      `The provider did not take Holdpoint's signature (401), so ${doing}. It is tried again; let both sides have the same secret and the right time, and a proxy between them leave path and body as they are.`,
      { retryable: true, retryAfterMs },
    )
  if (status >= 300 && status < 400)
    return new ActionFailure(
      'provider_redirected',
      `The provider answered ${status} and sends elsewhere, so ${doing}: Holdpoint follows nobody there. It is tried again; let the setting url be the final address.`,
      { retryable: true, retryAfterMs },
    )
  // Without the body that our contract asks for, it was something on the way that answered; that may pass.
  if (!error)
    return new ActionFailure(
      'provider_failed',
      `The provider answered ${status} without saying why, so ${doing}. It is tried again; its own log has the details.`,
      { retryable: true, retryAfterMs },
    )
  return providerFailure(error, doing, { answered: `answered ${status}`, retryAfterMs })
}

/** What the provider says it could not do. Tried again unless it says not to, or means something that stays so. */
export function providerFailure(
  { code, message, retryable = !FINAL_CODES.has(code) }: ProviderError,
  doing: string,
  {
    answered,
    retryAfterMs,
  }: { readonly answered: string; readonly retryAfterMs?: number | undefined },
): ActionFailure {
  const shownCode = /^[a-z][a-z0-9_]{0,63}$/.test(code) ? code : 'provider_refused'
  const words = shownWords(message)
  const sentence = words === '' ? '.' : `: ${words}${/[.!?…]$/.test(words) ? '' : '.'}`
  const remedy = retryable ? 'It is tried again.' : 'Redeploy when that is mended.'
  return new ActionFailure(
    shownCode,
    `The provider ${answered} (${shownCode}), so ${doing}${sentence} ${remedy}`,
    { retryable, retryAfterMs },
  )
}

/** An answer that is not what docs/http-driver.md asks for. Its text is not shown: it may hold a password. */
export function unreadableAnswer(problem: string, doing: string): ActionFailure {
  return new ActionFailure(
    'provider_answer_unreadable',
    `The provider's answer cannot be used (${problem}), so ${doing}. It is tried again; let the provider answer as docs/http-driver.md says, and the setting url name it.`,
    { retryable: true },
  )
}

/** No answer came, or not all of it. */
export function missingAnswer(
  { timeoutMs, cause }: { readonly timeoutMs: number | undefined; readonly cause: unknown },
  doing: string,
): ActionFailure {
  const code = codeOf(cause) ?? 'connection broken'
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return unreadableAnswer('it is too large', doing)
  const why = timeoutMs === undefined ? code : `none in ${timeoutMs} ms`
  return new ActionFailure(
    'provider_unreachable',
    `The provider gave no answer (${why}), so ${doing}. It is tried again; check that the provider runs and that the setting url leads to it.`,
    { retryable: true, cause },
  )
}

/** Somebody else's text for people to read: one line, no longer than it helps, and no address with a password in it. */
export function shownWords(text: string): string {
  return text
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .replaceAll(/[a-z][a-z0-9+.-]*:\/\/\S*/gi, '[address]')
    .trim()
    .slice(0, MOST_SHOWN_CHARACTERS)
    .toWellFormed()
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}
