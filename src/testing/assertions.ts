import assert from 'node:assert/strict'
import { ActionFailure } from '../domain/failure.ts'

/** Asserts that the call fails for good, with this code where one is given; answers the failure. */
export async function failsForGood(call: Promise<unknown>, code?: string): Promise<ActionFailure> {
  const failure = await failureOf(call)
  assert(failure instanceof ActionFailure, `no ActionFailure but ${String(failure)}`)
  assert.equal(failure.retryable, false, `${failure.code} may be retried: ${failure.message}`)
  if (code !== undefined) assert.equal(failure.code, code)
  return failure
}

/** What the call throws. Asserts that it does. */
export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([call])
  assert(outcome.status === 'rejected', 'the call was to fail and did not')
  return outcome.reason
}

/** Whether the call succeeded; what it threw does not matter. */
export async function succeeds(call: Promise<unknown>): Promise<boolean> {
  const [outcome] = await Promise.allSettled([call])
  return outcome.status === 'fulfilled'
}

/** Does the same for all of them, a few at a time. */
export async function forEachOf<Item>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const rest = items.entries()
  const worker = async () => {
    for (const [index, item] of rest) await act(item, index)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

const AT_ONCE = 4
