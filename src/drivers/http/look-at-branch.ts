import { type BranchRef, sameOwner } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import { branchAnswerSchema, type ProviderError } from './answer-schemas.ts'
import { ask, type Errand, type Provider } from './provider.ts'

/** What stands under a branch's name at the provider. Only what carries the owner gets into such an object. */
export interface FoundBranch {
  /** `absent`, `making`, `complete`, `failed`, `deleting`; any other is a kind of work that we do not know. */
  readonly state: string
  /** Changes with every deletion of the name. */
  readonly fence: string
  readonly progress?: string | undefined
  /** Why it is `failed`. */
  readonly error?: ProviderError | undefined
  readonly retryAfterMs: number | undefined
}

/** Looks, and refuses for good (`branch_owner_mismatch`) when something stands there that does not carry this owner. */
export async function lookAtBranch(
  provider: Provider,
  ref: BranchRef,
  errand: Errand,
): Promise<FoundBranch> {
  const { body, retryAfterMs } = await ask(
    provider,
    { method: 'GET', path: ['branches', ref.name] },
    { ...errand, schema: branchAnswerSchema },
  )
  const { owner, ...found } = body
  const isOurs = owner !== undefined && sameOwner(owner, ref.owner)
  if (found.state !== 'absent' && !isOurs)
    throw new ActionFailure(
      'branch_owner_mismatch',
      `Something named ${ref.name} exists at the provider but was not made for this action of this deployment, so ${errand.doing} and it was left as it is. If nobody needs it, delete it by hand and redeploy.`,
      { retryable: false },
    )
  return { ...found, retryAfterMs }
}
