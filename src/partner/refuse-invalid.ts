import type { Hook } from '@hono/zod-openapi'
import { answerPartnerError, PartnerError } from './partner-error.ts'
import type { PartnerEnvironment } from './partner-environment.ts'

/** Answers 400 with the name of each field that is missing or wrong, and never with its value. */
export const refuseInvalid: Hook<unknown, PartnerEnvironment, string, unknown> = (result, c) => {
  if (result.success) return undefined
  return answerPartnerError(c, invalidRequest(wrongFields(result.error.issues)))
}

/** The refusal of a request in which these fields are missing or wrong. */
export function invalidRequest(fields: readonly { key: string; message: string }[]): PartnerError {
  return new PartnerError(
    400,
    'bad_request',
    `The request cannot be used, so nothing was done. Correct ${fields.map(({ key }) => key).join(', ')} and send it again.`,
    { fields },
  )
}

/** The fields of which zod speaks, `within` being the field whose value was checked. */
export function wrongFields(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
  within: readonly string[] = [],
): { key: string; message: string }[] {
  return issues.map(({ path, message }) => ({
    key: [...within, ...path].map(String).join('.') || 'body',
    message,
  }))
}
