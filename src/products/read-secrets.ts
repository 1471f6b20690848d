import { ActionFailure } from '../domain/failure.ts'
import { outcomeProblems } from '../domain/outcome.ts'
import { Secret } from '../domain/secret.ts'
import type { AnyProduct, ProvisionedCall } from './provision-resource.ts'

/**
 * The variables of a resource, which the product has proved. Throws what the product throws, and a final
 * `ActionFailure` where Vercel would not take one of them, or visitors would see it; it names the variable and never its
 * value.
 */
export async function readSecrets(
  definition: AnyProduct,
  call: ProvisionedCall<unknown, unknown>,
): Promise<Record<string, Secret>> {
  const secrets = Object.entries(await definition.secrets(call)).map(([name, value]) => ({
    name,
    value: typeof value === 'string' ? new Secret(value) : value,
  }))
  const problems = [
    ...outcomeProblems({ secrets }),
    ...secrets
      .filter(({ value }) => value.reveal() === '')
      .map(({ name }) => `The variable ${name} is empty, which Vercel refuses: leave it out.`),
  ]
  if (problems.length > 0)
    throw new ActionFailure('secrets_invalid', problems.join(' '), { retryable: false })
  return Object.fromEntries(secrets.map(({ name, value }) => [name, value]))
}
