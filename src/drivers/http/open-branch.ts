import type { BranchRef } from '../../domain/branch-ref.ts'
import { Secret } from '../../domain/secret.ts'
import type { BranchConnection, DriverCall } from '../driver.ts'
import { connectionAnswerSchema } from './answer-schemas.ts'
import { ask, type Provider } from './provider.ts'

/** The way into the branch, which the provider has tried. */
export async function openBranch(
  provider: Provider,
  ref: BranchRef,
  call: DriverCall,
): Promise<BranchConnection> {
  const { body } = await ask(
    provider,
    { method: 'POST', path: ['branches', ref.name, 'open'], body: { owner: ref.owner } },
    {
      doing: `the branch ${ref.name} cannot be opened`,
      signal: call.signal,
      schema: connectionAnswerSchema,
    },
  )
  return { ...body, url: new Secret(body.url), password: new Secret(body.password) }
}
