import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import type { Dials } from './dials.ts'
import { judgeAnswer, PartnerFault } from './judge-answer.ts'
import type { OidcKeys } from './oidc-keys.ts'
import { describeFetchError } from './post-webhook.ts'
import type { Installation } from './project.ts'
import type { PartnerRecord } from './timeline.ts'

/** What calls to the provider touch. */
export interface PartnerSide {
  readonly keys: OidcKeys
  /** Who issues the tokens: this Vercel. */
  readonly issuer: () => string
  readonly partnerUrl: () => string | undefined
  readonly closing: AbortSignal
  readonly dials: Dials
  readonly now: () => number
  readonly record: (event: PartnerRecord) => void
}

export interface PartnerCall<Answer> {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly kind: 'user' | 'system'
  readonly body?: unknown
  /** What each status that Vercel takes has for a body. */
  readonly answers: Readonly<Record<number, z.ZodType<Answer>>>
  /** Of a call that changes something; drawn at random unless said. */
  readonly idempotencyKey?: string | undefined
  /** What the answer to a repeat must have as the lost one had it; undefined where nothing can be said. */
  readonly once?: {
    readonly field: string
    readonly of: (answer: Answer) => string | undefined
  }
}

const ANSWER_WITHIN_MS = 30_000

/**
 * Calls the provider's partner API as Vercel does, and once more for each answer that the dial `losePartnerAnswers`
 * takes away. Throws a `PartnerRefusal` when the provider refuses in the documented form, and a `PartnerFault` when it
 * answers anything else, does once more what was done, or does not answer at all.
 */
export async function callPartner<Answer>(
  side: PartnerSide,
  installation: Installation,
  call: PartnerCall<Answer>,
): Promise<Answer> {
  const { method, path, once } = call
  const idempotencyKey = method === 'GET' ? undefined : (call.idempotencyKey ?? randomUUID())
  const lost: Answer[] = []
  while (idempotencyKey !== undefined && side.dials.losePartnerAnswers > 0) {
    side.dials.losePartnerAnswers -= 1
    lost.push(await attempt(side, installation, { ...call, idempotencyKey }, true))
  }
  const answer = await attempt(side, installation, { ...call, idempotencyKey }, false)
  const said = once?.of(answer)
  const before = lost.map((each) => once?.of(each))
  if (said !== undefined && before.some((each) => each !== undefined && each !== said))
    throw new PartnerFault(
      `${method} ${path}: ${once?.field}: the same Idempotency-Key was answered otherwise the second time`,
    )
  return answer
}

async function attempt<Answer>(
  side: PartnerSide,
  installation: Installation,
  call: PartnerCall<Answer>,
  lost: boolean,
): Promise<Answer> {
  const { method, path, idempotencyKey, answers } = call
  const what = `${method} ${path}`
  let status: number | undefined
  const record = (error?: string) =>
    side.record({
      kind: 'partner',
      at: side.now(),
      method,
      path,
      installationId: installation.id,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      ...(status !== undefined && { status }),
      ...(lost && { lost }),
      ...(error !== undefined && { error }),
    })
  try {
    const response = await send(side, installation, call)
    status = response.status
    const answer = judgeAnswer(what, response, answers)
    record()
    return answer
  } catch (error) {
    record(error instanceof Error ? error.message : String(error))
    throw error
  }
}

async function send(
  { keys, issuer, partnerUrl, closing }: PartnerSide,
  installation: Installation,
  { method, path, kind, body, idempotencyKey }: Omit<PartnerCall<unknown>, 'answers' | 'once'>,
): Promise<{ readonly status: number; readonly text: string }> {
  const url = partnerUrl()
  if (url === undefined) throw new PartnerFault(`${method} ${path}: no partnerUrl is set`)
  const token = await keys.mint(kind, installation, issuer())
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'x-vercel-auth': kind,
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.any([closing, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    throw new PartnerFault(`${method} ${path}: no answer (${describeFetchError(error)})`)
  }
}
