import type { Context } from 'hono'
import { answerError } from './answer-error.ts'
import type { Dials } from './dials.ts'

/** The refusal of a check's output that is larger than the dial allows; undefined where it may stay. */
export function refuseOutput(
  c: Context,
  output: object | undefined,
  { checkOutputLimit }: Dials,
): Response | undefined {
  if (!output || Buffer.byteLength(JSON.stringify(output)) <= checkOutputLimit) return undefined
  return answerError(c, 413, { code: 'output_too_large', message: 'The output is too large' })
}
