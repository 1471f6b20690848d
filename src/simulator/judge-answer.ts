import { z } from 'zod'

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

const errorSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    user: z.object({ message: z.string().optional() }).optional(),
    fields: z.array(z.object({ key: z.string(), message: z.string().optional() })).optional(),
  }),
})

/**
 * The body of an answer that Vercel takes. Throws a `PartnerRefusal` for a refusal in the documented form, and a
 * `PartnerFault` for anything else, which names the field and never repeats its value.
 */
export function judgeAnswer<Answer>(
  what: string,
  { status, text }: { readonly status: number; readonly text: string },
  answers: Readonly<Record<number, z.ZodType<Answer>>>,
): Answer {
  const schema = answers[status]
  if (schema) return read(schema, text, `${what}: the body of ${status}`)
  if (![400, 403, 404, 409, 422].includes(status))
    throw new PartnerFault(`${what}: Vercel does not take the status ${status}`)
  const { error } = read(errorSchema, text, `${what}: the error of ${status}`)
  throw new PartnerRefusal(status, `${what}: ${error.message}`, error.user?.message)
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
