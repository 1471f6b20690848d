import type { EndpointType } from '@neondatabase/api-client'
import type { DriverCall } from '../driver.ts'
import type { Neon } from './client.ts'
import type { BranchAtHand } from './complete-branch.ts'
import { endpointsAnswer, operationsAnswer } from './neon-answers.ts'
import { NeonError } from './neon-error.ts'
import { waitForOperations } from './operations.ts'

const READ_WRITE = 'read_write'

/** A compute that may write, of which a branch has at most one. The client's enum would be loaded for its value. */
export const READ_WRITE_ENDPOINT = { type: READ_WRITE as EndpointType.ReadWrite }

export function mayWrite({ type }: { type: string }): boolean {
  return type === READ_WRITE
}

/** Gives the branch a compute that may write, where it has none: somebody deleted it, or Neon failed to make it. */
export async function ensureEndpoint(
  neon: Neon,
  { project, branch, ref }: BranchAtHand,
  call: DriverCall,
): Promise<void> {
  const { signal } = call
  const { endpoints } = await neon.ask(
    {
      what: `the computes of ${ref.name}`,
      send: (api, params) => api.listProjectBranchEndpoints(project, branch.id, params),
      answer: endpointsAnswer,
    },
    signal,
  )
  if (endpoints.some(mayWrite)) return
  const body = { endpoint: { branch_id: branch.id, ...READ_WRITE_ENDPOINT } }
  try {
    const { operations } = await neon.ask(
      {
        what: `the creation of a compute for ${ref.name}`,
        send: (api, params) => api.createProjectEndpoint(project, body, params),
        answer: operationsAnswer,
        isChange: true,
        confirm: () => call.confirm(),
      },
      signal,
    )
    await waitForOperations(neon, { project, operations }, signal)
  } catch (error) {
    // Another call was quicker, and waits for it.
    if (!(error instanceof NeonError && error.status === 409)) throw error
  }
}
