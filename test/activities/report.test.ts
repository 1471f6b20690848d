import { describe, expect, test, vi } from 'vitest'
import type { StepCall } from '../../activities/activity-call.ts'
import { besideRunning } from '../../activities/report-running.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import { Secret } from '../../src/domain/secret.ts'
import { silentLog } from '../../src/log.ts'
import type { FaultAnswer } from '../../src/simulator/index.ts'
import { activitiesForTest, failureOf } from './activities-for-test.ts'

const outcome = () => Promise.resolve({ DATABASE_URL: new Secret('hunter2'), REGION: 'iad1' })

describe('running', () => {
  test('is reported beside the first step of the work, and has ended when that ends', async () => {
    const { run, step, taken } = await activitiesForTest({ provision: () => Promise.resolve('it') })
    expect(await run('provision', { ...step, reportRunningAfterMs: 0 })).toBe('it')
    expect(taken()).toEqual(['running'])
  })

  test('is not reported when the work was done before, when it fails before, or beside a later step', async () => {
    const { run, step, sent } = await activitiesForTest({
      provision: () => Promise.resolve(),
      migrate: () => Promise.reject(new Error('no')),
      ready: () => Promise.resolve(),
    })
    await run('provision', { ...step, reportRunningAfterMs: 60_000 })
    await failureOf(run('migrate', { ...step, reportRunningAfterMs: 60_000 }))
    await run('ready', step)
    expect(sent()).toBe(0)
  })

  const call = { signal: new AbortController().signal, progress: () => {} } as unknown as StepCall

  test('is not reported by a worker that stood still when it was due', async () => {
    const { key, connection, sent, environment } = await activitiesForTest()
    await environment.run(() =>
      besideRunning({ vercel: connection, log: silentLog }, { key, call, afterMs: 1 }, async () => {
        // The whole process: its timers come late.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1600)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }),
    )
    expect(sent()).toBe(0)
  })

  test('is reported again when long work has news, and only then', async () => {
    const { key, vercel, connection, sent, environment } = await activitiesForTest()
    const texts = () =>
      vercel.records.flatMap((event) =>
        event.kind === 'request' && event.method === 'PATCH'
          ? [(event.body as { statusText?: string }).statusText]
          : [],
      )
    await environment.run(() =>
      besideRunning(
        { vercel: connection, log: silentLog },
        { key, call, afterMs: 0, againEveryMs: 5 },
        async ({ progress }) => {
          await vi.waitFor(() => expect(sent()).toBe(1))
          progress('half of it is copied')
          await vi.waitFor(() => expect(sent()).toBe(2))
          await reportedOften(5)
        },
      ),
    )
    expect(texts()).toEqual([undefined, 'half of it is copied'])
  })

  /** Another report beside work that always has news: when this returns, there was time for as many of any other. */
  async function reportedOften(times: number): Promise<void> {
    const { key, connection, sent, environment } = await activitiesForTest()
    let news = 0
    await environment.run(() =>
      besideRunning(
        { vercel: connection, log: silentLog },
        { key, call, afterMs: 0, againEveryMs: 5 },
        async ({ progress }) => {
          const haveNews = () => {
            progress(`step ${(news += 1)}`)
            expect(sent()).toBeGreaterThanOrEqual(times)
          }
          await vi.waitFor(haveNews, { timeout: 10_000, interval: 1 })
        },
      ),
    )
  }

  test('is not reported again by a second attempt, but when it is due only then', async () => {
    const { run, step, sent, taken, environment } = await activitiesForTest(
      { provision: () => Promise.resolve() },
      { attempt: 2 },
    )
    Object.assign(environment.context.info, { scheduledTimestampMs: Date.now() - 20_000 })
    await run('provision', { ...step, reportRunningAfterMs: 0 })
    await run('provision', { ...step, reportRunningAfterMs: 60_000 })
    expect(sent()).toBe(0)
    await run('provision', { ...step, reportRunningAfterMs: 10_000 })
    expect(taken()).toEqual(['running'])
  })

  test.each<FaultAnswer>([
    { status: 401 },
    { status: 409 },
    { status: 503 },
    'cut-after',
    'no-answer',
  ])('is dropped and not tried again when Vercel answers with %o', async (answer) => {
    const { run, step, vercel, taken, logged } = await activitiesForTest({
      provision: () => Promise.resolve(),
    })
    vercel.dials.failNext.push({ answer })
    await run('provision', { ...step, reportRunningAfterMs: 0 })
    expect(logged().match(/report.running_dropped/g)).toHaveLength(1)
    expect(taken()).toEqual(answer === 'cut-after' ? ['running'] : [])
  })
})

describe('succeeded is', () => {
  test('taken, with the outcome; no secret is answered or logged', async () => {
    const { run, step, vercel, taken, logged } = await activitiesForTest({
      outcome,
    })
    const report = await run('reportSucceeded', step)
    expect(report).toMatchObject({ kind: 'taken', because: expect.stringContaining('2 variables') })
    expect(taken()).toEqual(['succeeded'])
    const ready = await vercel.until(
      step.key.deploymentId,
      ({ readyState }) => readyState === 'READY',
    )
    expect(ready.env).toMatchObject({ DATABASE_URL: 'hunter2', REGION: 'iad1' })
    expect(JSON.stringify(report) + logged()).not.toContain('hunter2')
  })

  test('over when the deployment was canceled meanwhile', async () => {
    const { run, step, vercel } = await activitiesForTest({ outcome })
    vercel.cancel(step.key.deploymentId)
    expect(await run('reportSucceeded', step)).toMatchObject({
      kind: 'over',
      because: expect.stringContaining('409'),
    })
  })

  test('over when the deployment is gone', async () => {
    const { run, step, vercel } = await activitiesForTest({ outcome })
    vercel.remove(step.key.deploymentId)
    expect(await run('reportSucceeded', step)).toMatchObject({ kind: 'over' })
  })

  test('taken when its earlier answer was lost, and the deployment went on', async () => {
    const { run, step, vercel, taken } = await activitiesForTest({ outcome })
    vercel.dials.failNext.push({ answer: 'cut-after' })
    expect(await run('reportSucceeded', step)).toEqual({
      kind: 'again',
      mayHaveBeenTaken: true,
      afterMs: 0,
    })
    await vercel.until(step.key.deploymentId, ({ readyState }) => readyState === 'READY')
    expect(await run('reportSucceeded', { ...step, mayHaveBeenTaken: true })).toMatchObject({
      kind: 'taken',
      because: expect.stringContaining('earlier report'),
    })
    expect(taken()).toEqual(['succeeded'])
  })

  test('refused when Vercel does not accept it and goes on waiting', async () => {
    const { run, step, vercel } = await activitiesForTest({ outcome })
    vercel.dials.failNext.push({ match: { kind: 'patch' }, answer: { status: 400 } })
    expect(await run('reportSucceeded', step)).toMatchObject({
      kind: 'refused',
      because: expect.stringContaining('deploy again'),
    })
  })

  test('undecided when Vercel calls it settled and still waits', async () => {
    const { run, step, vercel } = await activitiesForTest({ outcome })
    vercel.dials.failNext.push({ match: { kind: 'patch' }, answer: { status: 409 } })
    expect(await run('reportSucceeded', step)).toEqual({ kind: 'undecided' })
  })

  test.each<[FaultAnswer, { mayHaveBeenTaken: boolean; afterMs: number }]>([
    [{ status: 401 }, { mayHaveBeenTaken: false, afterMs: 0 }],
    [{ status: 503 }, { mayHaveBeenTaken: true, afterMs: 0 }],
    ['cut-before', { mayHaveBeenTaken: true, afterMs: 0 }],
    ['no-answer', { mayHaveBeenTaken: true, afterMs: 0 }],
  ])('to be sent again after %o', async (answer, expected) => {
    const { run, step, vercel } = await activitiesForTest({ outcome })
    vercel.dials.failNext.push({ answer })
    expect(await run('reportSucceeded', step)).toEqual({
      kind: 'again',
      ...expected,
    })
  })

  test('in line when Vercel takes no more updates for now, and when an earlier one was told so', async () => {
    const { run, step, vercel, sent } = await activitiesForTest({ outcome })
    vercel.dials.failNext.push({ answer: { status: 429, headers: { 'retry-after': '3' } } })
    const inLine = { kind: 'in-line', mayHaveBeenTaken: false }
    const first = await run('reportSucceeded', step)
    expect(first).toMatchObject(inLine)
    const { afterMs = 0 } = first as { afterMs?: number }
    expect(afterMs).toBeGreaterThan(2000)
    expect(afterMs).toBeLessThanOrEqual(3000)
    const again = await run('reportSucceeded', step)
    expect(again).toMatchObject({ ...inLine, afterMs: expect.any(Number) })
    expect(sent()).toBe(1)
  })

  test('to be sent again when the credentials cannot be proved yet, and nothing was sent', async () => {
    const { run, step, sent } = await activitiesForTest({
      outcome: () =>
        Promise.reject(
          new ActionFailure('asleep', 'Asleep.', { retryable: true, retryAfterMs: 500 }),
        ),
    })
    expect(await run('reportSucceeded', step)).toEqual({
      kind: 'again',
      mayHaveBeenTaken: false,
      afterMs: 500,
    })
    expect(sent()).toBe(0)
  })

  test('never given up once Vercel may have it, even for what would be final', async () => {
    const { run, step } = await activitiesForTest({
      outcome: () => Promise.reject(new ActionFailure('gone', 'Gone.', { retryable: false })),
    })
    const again = { ...step, mayHaveBeenTaken: true }
    expect(await run('reportSucceeded', again)).toMatchObject({
      kind: 'again',
      mayHaveBeenTaken: true,
    })
    expect(await failureOf(run('reportSucceeded', step))).toMatchObject({
      type: 'gone',
      nonRetryable: true,
    })
  })

  test.each(['TZ', 'NEXT_PUBLIC_URL', '1ST'])(
    'not sent at all with a variable that Vercel refuses: %s',
    async (name) => {
      const { run, step, sent } = await activitiesForTest({
        outcome: () => Promise.resolve({ [name]: 'hunter2' }),
      })
      const failure = await failureOf(run('reportSucceeded', step))
      expect(failure).toMatchObject({ type: 'outcome_invalid', nonRetryable: true })
      expect(failure.message).toContain(name)
      expect(failure.message).not.toContain('hunter2')
      expect(sent()).toBe(0)
    },
  )
})

describe('as a local activity, which may be run again after a crash, succeeded', () => {
  const askedAgain = async (first: 'known here' | 'unknown here') => {
    const { run, step, vercel, key, headStarts } = await activitiesForTest(
      { outcome },
      { isLocal: true },
    )
    const id = headStarts.begin({ key })
    if (first === 'unknown here') headStarts.drop(id)
    const refuse = () =>
      vercel.dials.failNext.push({ match: { kind: 'patch' }, answer: { status: 400 } })
    refuse()
    const once = await run('reportSucceeded', { ...step, headStart: id })
    refuse()
    return [once.kind, (await run('reportSucceeded', { ...step, headStart: id })).kind]
  }

  test('is known to be the first report once, by the process that began the run', async () => {
    expect(await askedAgain('known here')).toEqual(['refused', 'undecided'])
  })

  test('may have been taken before where the process knows nothing of the run', async () => {
    expect(await askedAgain('unknown here')).toEqual(['undecided', 'undecided'])
  })

  test.each([
    ['is still to come as the first', 'known here', { isFirstToCome: true }, 'refused'],
    ['may have been sent by another process', 'unknown here', {}, 'undecided'],
  ] as const)('that waits in line %s', async (_, first, told, afterTheWait) => {
    const { run, step, vercel, key, headStarts } = await activitiesForTest(
      { outcome },
      { isLocal: true },
    )
    const id = headStarts.begin({ key })
    if (first === 'unknown here') headStarts.drop(id)
    const report = () => run('reportSucceeded', { ...step, headStart: id })
    vercel.dials.failNext.push({
      match: { kind: 'patch' },
      answer: { status: 429, headers: { 'retry-after': '1' } },
    })
    const inLine = await report()
    const mayHaveBeenTaken = first === 'unknown here'
    const afterMs = expect.any(Number) as number
    expect(inLine).toEqual({ kind: 'in-line', mayHaveBeenTaken, afterMs, ...told })
    vercel.dials.failNext.push({ match: { kind: 'patch' }, answer: { status: 400 } })
    await vi.waitFor(async () => expect(await report()).toMatchObject({ kind: afterTheWait }), {
      timeout: 10_000,
    })
  })
})

describe('failed', () => {
  const reason = 'No branch is left.'

  test('is reported with its reason', async () => {
    const { run, key, vercel } = await activitiesForTest()
    await run('reportFailed', { key, reason })
    expect(vercel.deployment(key.deploymentId).actions[0]).toMatchObject({
      status: 'failed',
      statusText: reason,
    })
  })

  test.each([400, 404, 409, 410])(
    'takes %i for an answer: nobody waits any more',
    async (status) => {
      const { run, key, vercel, sent, logged } = await activitiesForTest()
      vercel.dials.failNext.push({ answer: { status } })
      await run('reportFailed', { key, reason })
      expect(sent()).toBe(1)
      expect(logged()).toContain('report.failed_not_taken')
    },
  )

  test.each<FaultAnswer>([{ status: 503 }, { status: 429 }, 'cut-after'])(
    'is sent again after %o, however often',
    async (answer) => {
      const { run, key, vercel } = await activitiesForTest({}, { attempt: 99 })
      vercel.dials.failNext.push({ answer })
      const failure = await failureOf(run('reportFailed', { key, reason }))
      expect(failure.nonRetryable).toBe(false)
    },
  )

  test.each([401, 403])('is given up after ten refusals of the token with %i', async (status) => {
    const early = await activitiesForTest({}, { attempt: 9 })
    early.vercel.dials.failNext.push({ answer: { status } })
    const report = early.run('reportFailed', { key: early.key, reason })
    expect((await failureOf(report)).nonRetryable).toBe(false)

    const late = await activitiesForTest({}, { attempt: 10 })
    late.vercel.dials.failNext.push({ answer: { status } })
    await late.run('reportFailed', { key: late.key, reason })
  })
})
