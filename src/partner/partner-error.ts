import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from '@hono/zod-openapi'

/** Why a request of Vercel is not done. `message` is for whoever reads Vercel's logs: it never holds what was sent. */
export class PartnerError extends Error {
  override readonly name = 'PartnerError'
  readonly status: ContentfulStatusCode
  readonly code: string
  /** Shown to the customer in Vercel's dashboard. */
  readonly userMessage: string | undefined
  readonly fields: readonly { readonly key: string; readonly message: string }[]
  /** Whether the same request may be done a moment later, so that it is to be looked at anew when it comes again. */
  readonly passing: boolean

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    {
      userMessage,
      fields = [],
      passing = false,
      cause,
    }: {
      userMessage?: string | undefined
      fields?: readonly { key: string; message: string }[]
      passing?: boolean
      cause?: unknown
    } = {},
  ) {
    super(message, { cause })
    this.status = status
    this.code = code
    this.userMessage = userMessage
    this.fields = fields
    this.passing = passing
  }
}

/** The shape in which Vercel takes errors. https://vercel.com/docs/integrations/create-integration/marketplace-api */
export const errorSchema = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      user: z.object({ message: z.string() }).optional(),
      fields: z.array(z.object({ key: z.string(), message: z.string() })).optional(),
    }),
  })
  .openapi('Error')

/** Answers the error as Vercel takes it. What the server may mend by itself says when to come again. */
export function answerPartnerError(c: Context, error: PartnerError): Response {
  const { status, code, message, userMessage, fields } = error
  if (status === 503) c.header('Retry-After', '5')
  return c.json(
    {
      error: {
        code,
        message,
        ...(userMessage !== undefined && { user: { message: userMessage } }),
        ...(fields.length > 0 && { fields }),
      },
    },
    status,
  )
}
