import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { describeFetchError } from './post-webhook.ts'

/** The provider's answer to a call is not one that Vercel takes. */
export class PartnerFault extends Error {
  override readonly name = 'PartnerFault'
}

/** The provider refuses, and says so as Vercel expects it. */
export class PartnerRefusal extends Error {
  override readonly name = 'PartnerRefusal'
  readonly status: number
  /** For the customer, where the provider has a text for them. */
  readonly userMessage: string | undefined

  constructor(status: number, message: string, userMessage: string | undefined) {
    super(message)
    this.status = status
    this.userMessage = userMessage
  }
}

export interface PartnerCall<Answer> {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly kind: 'user' | 'system'
  readonly token: string
  readonly body?: unknown
  /** What each status that Vercel takes has for a body. */
  readonly answers: Readonly<Record<number, z.ZodType<Answer>>>
}

const ANSWER_WITHIN_MS = 30_000

const errorSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    user: z.object({ message: z.string().optional() }).optional(),
    fields: z.array(z.object({ key: z.string(), message: z.string().optional() })).optional(),
  }),
})

/**
 * Calls the provider's partner API as Vercel does. Throws a `PartnerRefusal` when the provider refuses in the documented
 * form, and a `PartnerFault` when it answers anything else, or not at all.
 */
export async function callPartner<Answer>(
  partnerUrl: string | undefined,
  { method, path, kind, token, body, answers }: PartnerCall<Answer>,
  closing: AbortSignal,
): Promise<Answer> {
  const what = `${method} ${path}`
  if (partnerUrl === undefined) throw new PartnerFault(`${what}: no partnerUrl is set`)
  const response = await fetch(`${partnerUrl}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'x-vercel-auth': kind,
      ...(method !== 'GET' && { 'idempotency-key': randomUUID() }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    redirect: 'manual',
    signal: AbortSignal.any([closing, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
  }).catch((error: unknown) => {
    throw new PartnerFault(`${what}: no answer (${describeFetchError(error)})`)
  })
  const text = await response.text()
  const schema = answers[response.status]
  if (schema) return read(schema, text, `${what}: the body of ${response.status}`)
  if (![400, 403, 404, 409, 422].includes(response.status))
    throw new PartnerFault(`${what}: Vercel does not take the status ${response.status}`)
  const { error } = read(errorSchema, text, `${what}: the error of ${response.status}`)
  throw new PartnerRefusal(response.status, `${what}: ${error.message}`, error.user?.message)
}

function read<Answer>(schema: z.ZodType<Answer>, text: string, what: string): Answer {
  const parsed = schema.safeParse(text === '' ? undefined : parseJson(text))
  if (parsed.success) return parsed.data
  throw new PartnerFault(`${what} is not as documented: ${z.prettifyError(parsed.error)}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
