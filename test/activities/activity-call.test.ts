import { CancelledFailure } from '@temporalio/activity'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { ActionCall } from '../../src/actions/define-action.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import { VercelApiError } from '../../src/vercel/errors.ts'
import { activitiesForTest, failureOf } from './activities-for-test.ts'

const NEVER_SEEN = 'postgres://me:hunter2@db'

/** The failure of a step in which the action throws this. */
async function failureBy(error: unknown) {
  const { run, step, logged } = await activitiesForTest({
    provision() {
      throw error
    },
  })
  return { failure: await failureOf(run('provision', step)), logged: logged() }
}

describe('what an action throws becomes a failure that Temporal retries or not', () => {
  test('an ActionFailure as it says of itself', async () => {
    const final = new ActionFailure('quota', 'No branch is left.', { retryable: false })
    expect((await failureBy(final)).failure).toMatchObject({
      type: 'quota',
      message: 'No branch is left.',
      nonRetryable: true,
      nextRetryDelay: undefined,
    })
    const busy = new ActionFailure('busy', 'Busy.', { retryable: true, retryAfterMs: 7000 })
    expect((await failureBy(busy)).failure).toMatchObject({
      nonRetryable: false,
      nextRetryDelay: 7000,
    })
  })

  test('without the cause of it, which nobody wrote for people', async () => {
    const cause = new Error(NEVER_SEEN)
    const { failure } = await failureBy(new ActionFailure('x', 'X.', { retryable: true, cause }))
    expect(inspect(failure, { depth: 9 })).not.toContain('hunter2')
  })

  test('a VercelApiError by its status, with the wait that Vercel asked for', async () => {
    const slow = new VercelApiError('Slow.', {
      status: 429,
      code: 'rate_limited',
      mayHaveActed: false,
      retryAfterMs: 3000,
    })
    expect((await failureBy(slow)).failure).toMatchObject({
      type: 'vercel_rate_limited',
      message: 'Slow.',
      nonRetryable: false,
      nextRetryDelay: 3000,
    })
    const gone = new VercelApiError('Gone.', { status: 410, code: 'gone', mayHaveActed: false })
    expect((await failureBy(gone)).failure).toMatchObject({
      type: 'vercel_gone',
      nonRetryable: true,
    })
  })

  test.each([new TypeError(NEVER_SEEN), NEVER_SEEN, { text: NEVER_SEEN }, undefined])(
    'anything else is retried and tells nothing of its text: %o',
    async (error) => {
      const { failure, logged } = await failureBy(error)
      expect(failure).toMatchObject({ type: 'internal', nonRetryable: false })
      expect(failure.message).toContain('internal error')
      expect(inspect(failure, { depth: 9 })).not.toContain('hunter2')
      expect(logged).toContain('activity.unforeseen_error')
      expect(logged).not.toContain('hunter2')
    },
  )
})

test('what an action throws after a cancel is a cancellation, without its text', async () => {
  const { run, step, environment } = await activitiesForTest({
    provision: ({ signal }: ActionCall) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error(NEVER_SEEN)))
        environment.cancel()
      }),
  })
  const error: unknown = await run('provision', step).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(CancelledFailure)
  expect(inspect(error, { depth: 9 })).not.toContain('hunter2')
})

test('a step heartbeats by itself, with the latest progress, and no longer than it runs', async () => {
  const { run, step, environment } = await activitiesForTest({
    async provision(call: ActionCall) {
      call.progress('Copying.')
      await expect.poll(() => beats.length, { timeout: 5000 }).toBe(2)
      return { branch: 'b' }
    },
  })
  const beats: unknown[] = []
  environment.on('heartbeat', (text: unknown) => beats.push(text))
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  expect(await run('provision', step)).toEqual({ branch: 'b' })
  expect(beats).toEqual(['Copying.', 'Copying.'])
  expect(timers()).toBeLessThanOrEqual(before)
})

test('an action that nobody declared fails for good, and what is declared is told', async () => {
  const { run, step, key } = await activitiesForTest()
  const other = { ...key, action: 'seed' }
  for (const running of [
    run('provision', { ...step, key: other }),
    run('deprovision', { key: other }),
    run('openAction', {
      key: other,
      deadlineMs: 1,
      deadlineAt: Infinity,
      reportRunningAfterMs: null,
    }),
  ]) {
    const failure = await failureOf(running)
    expect(failure).toMatchObject({ type: 'action_not_declared', nonRetryable: true })
    expect(failure.message).toContain('"seed" (it has branch)')
  }
})
