import type { Hook } from '@hono/zod-openapi'
import { answerPartnerError, PartnerError } from './partner-error.ts'
import type { PartnerEnvironment } from './lock.ts'

/** Answers 400 with the name of each field that is missing or wrong, and never with its value. */
export const refuseInvalid: Hook<unknown, PartnerEnvironment, string, unknown> = (result, c) => {
  if (result.success) return undefined
  const fields = result.error.issues.map(({ path, message }) => ({
    key: path.map(String).join('.') || 'body',
    message,
  }))
  return answerPartnerError(
    c,
    new PartnerError(
      400,
      'bad_request',
      `The request cannot be used, so nothing was done. Correct ${fields.map(({ key }) => key).join(', ')} and send it again.`,
      { fields },
    ),
  )
}
