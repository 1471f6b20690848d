import type { z } from 'zod'
import { VercelApiError } from './errors.ts'

/** Vercel answered 2xx with something else than was asked for; a read may be answered rightly the next time. */
export function unreadableAnswer(what: string, error: z.ZodError): VercelApiError {
  return new VercelApiError(
    `Vercel's answer for ${what} cannot be read (${error.issues[0]?.path.join('.') || 'body'}): it will be asked again.`,
    { status: 502, code: 'unreadable_answer', mayHaveActed: false },
  )
}
