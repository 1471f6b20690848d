import { describe, expect, test } from 'vitest'
import type { CheckCall, CheckDefinition } from '../../src/checks/define-check.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import { activitiesForTest, failureOf } from './activities-for-test.ts'

const succeeds = () => Promise.resolve({ conclusion: 'succeeded' as const })

/** The activities with a check that Vercel has started on a deployment. */
async function startedCheck(
  check: Partial<CheckDefinition> = {},
  options: Parameters<typeof activitiesForTest>[1] = {},
) {
  const smoke = { name: 'Smoke', requires: 'none', run: succeeds, ...check } as const
  const activities = await activitiesForTest({}, { checks: { smoke }, ...options })
  const { vercel, project } = activities
  project.checks.push({
    id: 'chk_1',
    name: 'Smoke',
    requires: 'none',
    blocks: 'none',
    targets: ['preview'],
    timeout: 60,
    isRerequestable: false,
    externalResourceId: 'db/1',
    createdAt: 0,
  })
  const { id, checkRuns } = vercel.deploy(project, { gitBranch: 'feature/x' })
  const [run] = checkRuns
  if (!run) throw new Error('No check run was started.')
  const key = { installationId: vercel.installation.id, deploymentId: id, checkRunId: run.id }
  return {
    ...activities,
    key,
    request: { key, occurredAt: 5 },
    checkRun: () => vercel.deployment(id).checkRuns[0],
    step: {
      key,
      check: 'smoke',
      deployment: { id, environment: 'preview', standing: 'waiting' as const },
    },
  }
}

describe('a check run is opened', () => {
  test('with its check, resource and time, and Vercel knows that it runs', async () => {
    const { run, request, checkRun } = await startedCheck({
      externalUrl: ({ checkRunId }) => `https://example.com/${checkRunId}`,
    })
    const externalUrl = `https://example.com/${request.key.checkRunId}`
    expect(await run('openCheckRun', request)).toMatchObject({
      kind: 'open',
      check: 'smoke',
      deployment: { id: request.key.deploymentId, gitBranch: 'feature/x' },
      resourceId: 'db/1',
      externalUrl,
      deadlineMs: 270_000,
      timeoutSeconds: 60,
    })
    expect(checkRun()).toMatchObject({ status: 'running', externalUrl })
  })

  test('with the action to wait for, of the same deployment and resource', async () => {
    const { run, request, key } = await startedCheck({ after: 'branch' })
    const { checkRunId: _, ...ids } = key
    expect(await run('openCheckRun', request)).toMatchObject({
      action: { ...ids, resourceId: 'db/1', action: 'branch' },
    })
  })

  test('with the words of its event where that tells them', async () => {
    const { run, request } = await startedCheck()
    const told = { ...request, resourceId: 'other', timeoutSeconds: 7 }
    expect(await run('openCheckRun', told)).toMatchObject({
      resourceId: 'other',
      timeoutSeconds: 7,
    })
  })

  test('although Vercel is not told that it runs', async () => {
    const { run, request, vercel, logged, checkRun } = await startedCheck()
    vercel.dials.failNext.push({
      match: { kind: 'check-run', status: 'running' },
      answer: { status: 503 },
    })
    expect(await run('openCheckRun', request)).toMatchObject({ kind: 'open' })
    expect(checkRun()?.status).toBe('queued')
    expect(logged()).toContain('check.running_dropped')
  })

  test('and an address that Vercel would refuse is left out, and logged', async () => {
    const { run, request, logged, checkRun } = await startedCheck({
      externalUrl: () => 'javascript:alert(1)',
    })
    expect(await run('openCheckRun', request)).not.toHaveProperty('externalUrl')
    expect(checkRun()?.status).toBe('running')
    expect(logged()).toContain('check.external_url_unusable')
  })
})

describe('a check run is decided without being run', () => {
  test('as neutral when its check is not declared, and says which are', async () => {
    const { run, request } = await startedCheck({ name: 'Other' })
    expect(await run('openCheckRun', request)).toEqual({
      kind: 'decided',
      verdict: {
        conclusion: 'neutral',
        text: expect.stringMatching(/no check "Smoke" \(it has Other\)/),
      },
    })
  })

  test('as canceled when its deployment is', async () => {
    const { run, request, vercel, key } = await startedCheck()
    vercel.dials.cancelEndsCheckRun = false
    vercel.cancel(key.deploymentId)
    expect(await run('openCheckRun', request)).toMatchObject({
      kind: 'decided',
      verdict: { conclusion: 'canceled' },
    })
  })

  test('as over when it is completed already: nothing is reported', async () => {
    const { run, request, vercel, key, sent } = await startedCheck()
    vercel.cancelCheckRun(key.deploymentId, key.checkRunId)
    expect(await run('openCheckRun', request)).toEqual({ kind: 'over' })
    expect(sent()).toBe(0)
  })

  test('as over when Vercel keeps saying that it does not know it', async () => {
    const unknown = { key: { checkRunId: 'ckr_none' } }
    const early = await startedCheck()
    const failure = await failureOf(
      early.run('openCheckRun', {
        ...early.request,
        key: { ...early.key, ...unknown.key },
      }),
    )
    expect(failure).toMatchObject({ type: 'check_run_unknown', nonRetryable: false })
    const late = await startedCheck({}, { attempt: 4 })
    expect(
      await late.run('openCheckRun', { ...late.request, key: { ...late.key, ...unknown.key } }),
    ).toEqual({ kind: 'over' })
  })
})

describe('the action that a check waits for', () => {
  const action = { installationId: 'icfg', resourceId: 'db/1', deploymentId: '', action: 'branch' }

  test('has ended, or is at work', async () => {
    const end = { phase: 'succeeded', because: 'Done.' } as const
    const ended = await activitiesForTest({}, { end })
    expect(await ended.run('readActionEnd', { action })).toEqual({ kind: 'ended', end })
    const open = await activitiesForTest({}, { end: 'open' })
    expect(await open.run('readActionEnd', { action })).toEqual({ kind: 'open' })
  })

  test('may still come as long as the deployment waits', async () => {
    const { run, key, vercel } = await activitiesForTest()
    expect(await run('readActionEnd', { action: key })).toEqual({ kind: 'none', mayCome: true })
    vercel.skip(key.deploymentId)
    expect(await run('readActionEnd', { action: key })).toEqual({ kind: 'none', mayCome: false })
  })
})

test('what an action made is checked again when Temporal has forgotten its run', async () => {
  const owner = { installationId: 'icfg', resourceId: 'db/1', deploymentId: '', action: 'branch' }
  let made = { name: 'hp_1', owner, complete: true }
  const { run, key, vercel } = await activitiesForTest({ list: () => Promise.resolve([made]) })
  vercel.skip(key.deploymentId)
  const look = () => run('readActionEnd', { action: key })
  expect(await look()).toMatchObject({ kind: 'none' })
  made = { ...made, owner: key }
  expect(await look()).toMatchObject({ kind: 'ended', end: { phase: 'succeeded' } })
  made = { ...made, complete: false }
  expect(await look()).toMatchObject({ kind: 'none' })
})

describe('a check that is run', () => {
  test('gets what it is about, and its result is answered', async () => {
    const calls: CheckCall[] = []
    const { run, step } = await startedCheck({
      run: (call) => {
        calls.push(call)
        return Promise.resolve({ conclusion: 'failed', text: 'No.', output: { rows: 0 } })
      },
    })
    expect(await run('runCheck', { ...step, resourceId: 'db/1' })).toEqual({
      conclusion: 'failed',
      text: 'No.',
      output: { rows: 0 },
    })
    expect(calls).toMatchObject([
      {
        key: step.key,
        deployment: step.deployment,
        resourceId: 'db/1',
        signal: expect.any(AbortSignal),
        log: { info: expect.any(Function) },
      },
    ])
  })

  test('fails for good or for now as it says, and an unforeseen error keeps its text to itself', async () => {
    let thrown: Error = new ActionFailure('x', 'The schema differs.', { retryable: false })
    const { run, step } = await startedCheck({ run: () => Promise.reject(thrown) })
    expect(await failureOf(run('runCheck', step))).toMatchObject({
      message: 'The schema differs.',
      nonRetryable: true,
    })
    thrown = new TypeError('password hunter2 is wrong')
    const failure = await failureOf(run('runCheck', step))
    expect(failure.nonRetryable).toBe(false)
    expect(failure.message).not.toContain('hunter2')
  })

  test('is neutral when the configuration has lost it', async () => {
    const { run, step } = await startedCheck()
    expect(await run('runCheck', { ...step, check: 'gone' })).toMatchObject({
      conclusion: 'neutral',
    })
  })
})

describe('a conclusion', () => {
  const verdict = { conclusion: 'succeeded', text: 'All is well.' } as const

  test('is told to Vercel', async () => {
    const { run, key, checkRun } = await startedCheck()
    expect(await run('concludeCheckRun', { key, verdict, completedAt: 5 })).toBe(true)
    expect(checkRun()).toMatchObject({
      status: 'completed',
      conclusion: 'succeeded',
      conclusionText: 'All is well.',
      completedAt: 5,
    })
  })

  test('is not lost to an address that Vercel would refuse', async () => {
    const { run, key, checkRun } = await startedCheck()
    const odd = { ...verdict, externalUrl: 'not an address' }
    await run('concludeCheckRun', { key, verdict: odd, completedAt: 5 })
    expect(checkRun()).toMatchObject({ conclusion: 'succeeded' })
  })

  test.each([400, 404, 409, 410])('that is refused with %i is not tried again', async (status) => {
    const { run, key, vercel } = await startedCheck()
    vercel.dials.failNext.push({ match: { kind: 'check-run' }, answer: { status } })
    expect(await run('concludeCheckRun', { key, verdict, completedAt: 5 })).toBe(false)
  })

  test('whose answer is lost is tried again with the same body', async () => {
    const { run, key, vercel, checkRun } = await startedCheck()
    vercel.dials.checkUpdateAfterEnd = 200
    vercel.dials.failNext.push({ match: { kind: 'check-run' }, answer: 'cut-after' })
    const failure = await failureOf(run('concludeCheckRun', { key, verdict, completedAt: 5 }))
    expect(failure.nonRetryable).toBe(false)
    expect(await run('concludeCheckRun', { key, verdict, completedAt: 5 })).toBe(true)
    expect(checkRun()).toMatchObject({
      acceptedStatuses: ['completed', 'completed'],
      terminalBodies: 1,
    })
  })

  test('is given up with a token that Vercel keeps refusing', async () => {
    const refused = { match: { kind: 'check-run' }, answer: { status: 401 } } as const
    const early = await startedCheck()
    early.vercel.dials.failNext.push(refused)
    const told = { key: early.key, verdict, completedAt: 5 }
    expect(await failureOf(early.run('concludeCheckRun', told))).toMatchObject({
      nonRetryable: false,
    })
    const late = await startedCheck({}, { attempt: 10 })
    late.vercel.dials.failNext.push(refused)
    expect(await late.run('concludeCheckRun', { ...told, key: late.key })).toBe(false)
  })
})
