import { setTimeout as delay } from 'node:timers/promises'
import {
  type WorkflowClient,
  WorkflowContinuedAsNewError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { announceSignal, NOT_ANNOUNCED } from '../../workflows/messages.ts'
import type { ResourceProgress } from '../domain/resource-progress.ts'

/**
 * How far the run of a provisioning or change has come within the time, in milliseconds. One that goes on is told to
 * tell Vercel of its end, so whoever waits may go. Throws when Temporal does not tell.
 */
export async function awaitProgress(
  workflows: WorkflowClient,
  run: WorkflowHandle,
  withinMs: number,
): Promise<ResourceProgress> {
  const over = new AbortController()
  try {
    const end = workflows.withAbortSignal(over.signal, () => endOf(run))
    // Nobody may be left to hear of it.
    end.catch(() => {})
    const late = delay(withinMs, undefined, { signal: over.signal })
    late.catch(() => {})
    const inTime = await Promise.race([end, late])
    if (inTime) return inTime
    try {
      await run.signal(announceSignal)
      return { kind: 'goes-on' }
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return await end
      throw error
    }
  } finally {
    over.abort()
  }
}

async function endOf(run: WorkflowHandle): Promise<ResourceProgress> {
  try {
    await run.result()
    return { kind: 'done' }
  } catch (error) {
    if (error instanceof WorkflowContinuedAsNewError)
      return failed('The resource was removed meanwhile, so nothing of it is kept.')
    if (!(error instanceof WorkflowFailedError)) throw error
    const { cause } = error
    if (!(cause instanceof ApplicationFailure))
      return failed(
        'The work was broken off by the provider: try again, and ask the provider if it happens again.',
      )
    return cause.type === NOT_ANNOUNCED ? { kind: 'done' } : failed(cause.message)
  }
}

function failed(message: string): ResourceProgress {
  return { kind: 'failed', message }
}
