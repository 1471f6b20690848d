import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from 'vitest'
import type { CheckCall, CheckDefinition } from '../../src/checks/define-check.ts'
import { actionWorkflowId } from '../../src/domain/action-key.ts'
import { checkRegistrationWorkflowId } from '../../src/domain/check-registration.ts'
import { type CheckRunEnd, checkRunWorkflowId } from '../../src/domain/check-run.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import type { CheckRunSnapshot } from '../../src/simulator/index.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { branchAction, type BranchProvider, branchProvider, holdStep } from './branch-provider.ts'
import { heldCheck, succeeded } from './held-check.ts'
import { type HeldBuilds, holdBuilds } from './hold-builds.ts'

let environment: TemporalEnvironment
let provider: BranchProvider

beforeAll(async () => {
  environment = await devServerEnvironment()
})
afterAll(() => environment.teardown())
beforeEach(() => {
  provider = branchProvider()
})

/** Builds with one check of previews, which starts with its deployment unless it requires more; it is registered. */
async function checkedBuilds(
  check: Partial<CheckDefinition> & Pick<CheckDefinition, 'run'>,
  { isRegistered = true }: { isRegistered?: boolean } = {},
): Promise<HeldBuilds> {
  const smoke: CheckDefinition = { name: 'Smoke', requires: 'none', targets: ['preview'], ...check }
  const builds = await holdBuilds(
    environment,
    { branch: branchAction(provider) },
    { checks: { smoke } },
  )
  onTestFinished(() => builds.close())
  if (isRegistered) await builds.checksRegistered()
  return builds
}

function onlyRun(runs: readonly CheckRunSnapshot[]): CheckRunSnapshot {
  const [run] = runs
  if (!run || runs.length > 1) throw new Error(`There are ${runs.length} check runs, not one.`)
  return run
}

/** The only check run of the deployment, once it is completed. */
const checked = async (builds: HeldBuilds, { id }: { id: string }) =>
  onlyRun(await builds.checked({ id }))

/** How the workflow of the deployment's only check run ended. */
async function endOf(builds: HeldBuilds, { id }: { id: string }): Promise<CheckRunEnd> {
  const { id: checkRunId } = onlyRun(builds.vercel.deployment(id).checkRuns)
  const installationId = builds.vercel.installation.id
  const workflowId = checkRunWorkflowId({ installationId, deploymentId: id, checkRunId })
  return (await environment.client.workflow.getHandle(workflowId).result()) as CheckRunEnd
}

describe('the checks of a configuration', () => {
  test('are registered once, though the connection is told many times at once and again', async () => {
    const builds = await checkedBuilds({ run: () => Promise.resolve(succeeded) })
    const { vercel, project } = builds
    const connected = vercel.connectionEvent('connected', project, 'db/42 %')
    const workflowId = checkRegistrationWorkflowId({
      installationId: vercel.installation.id,
      resourceId: 'db/42 %',
      projectId: project.id,
    })
    const registered = () => environment.client.workflow.getHandle(workflowId).result()
    expect(await registered()).toEqual({ created: ['Smoke'], found: [] })
    for (const round of [1, 2]) {
      const answers = await Promise.all([1, 2, 3].map(() => vercel.sendWebhook(connected)))
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
      expect(await registered(), `round ${round}`).toEqual({ created: [], found: ['Smoke'] })
    }
    expect(project.checks).toHaveLength(1)
  })

  test('are registered when Vercel has come back', async () => {
    const builds = await checkedBuilds(
      { run: () => Promise.resolve(succeeded) },
      { isRegistered: false },
    )
    const { vercel } = builds
    const project = vercel.createProject({ name: 'other', resources: [{ resourceId: 'db' }] })
    vercel.dials.failNext.push({ match: { kind: 'check' }, answer: { status: 503 }, times: 2 })
    await vercel.untilEvent(() => project.checks.length === 1)
    expect(project.checks).toMatchObject([{ name: 'Smoke', externalResourceId: 'db' }])
  })

  test('are left as they are when the connection ends', async () => {
    const { vercel, project } = await checkedBuilds({ run: () => Promise.resolve(succeeded) })
    const ended = vercel.connectionEvent('disconnected', project, 'db/42 %')
    const { status, body } = await vercel.sendWebhook(ended)
    expect([status, JSON.parse(body)]).toEqual([200, { status: 'ignored' }])
    expect(project.checks).toHaveLength(1)
  })
})

describe('a check run', () => {
  test('is shown as running, then concluded with what the check says', async () => {
    const check = heldCheck()
    const builds = await checkedBuilds({
      run: check.run,
      requires: 'build-ready',
      externalUrl: ({ checkRunId }) => `https://example.com/${checkRunId}`,
    })
    const { id } = builds.deploy()
    await check.begun
    const { checkRuns, readyState } = builds.vercel.deployment(id)
    expect(readyState).toBe('READY')
    expect(checkRuns).toMatchObject([
      { status: 'running', externalUrl: `https://example.com/${onlyRun(checkRuns).id}` },
    ])
    check.release()
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'succeeded',
      conclusionText: 'All is well.',
      externalUrl: `https://example.com/${onlyRun(checkRuns).id}`,
      acceptedStatuses: ['running', 'completed'],
    })
    expect(await endOf(builds, { id })).toEqual({ phase: 'succeeded', because: 'All is well.' })
  })

  test('that is delivered again is run once', async () => {
    let runs = 0
    const builds = await checkedBuilds({
      run: () => {
        runs++
        return Promise.resolve(succeeded)
      },
    })
    builds.vercel.dials.duplicateWebhooks = 'new-id'
    const { id } = builds.deploy()
    const run = await checked(builds, { id })
    await endOf(builds, { id })
    const again = builds.vercel.checkRunEvent('start', id, run.id)
    expect(JSON.parse((await builds.vercel.sendWebhook(again)).body)).toEqual({
      status: 'duplicate',
    })
    expect(runs).toBe(1)
    expect(run.acceptedStatuses).toEqual(['running', 'completed'])
  })

  test('has a conclusion of its own where its check was registered twice', async () => {
    const builds = await checkedBuilds(
      {
        run: ({ key }) => Promise.resolve({ ...succeeded, text: key.checkRunId }),
      },
      { isRegistered: false },
    )
    await builds.checksRegistered()
    const { vercel } = builds
    vercel.dials.checksPerRegistration = 2
    const project = vercel.createProject({ name: 'twice', resources: [{ resourceId: 'db' }] })
    await vercel.untilEvent(() => project.checks.length === 2)
    const runs = await builds.checked(vercel.deploy(project))
    expect(runs).toHaveLength(2)
    for (const run of runs)
      expect(run).toMatchObject({ conclusion: 'succeeded', conclusionText: run.id })
  })

  test('of which the event tells next to nothing is run all the same', async () => {
    const calls: CheckCall[] = []
    const builds = await checkedBuilds({
      run: (call) => {
        calls.push(call)
        return Promise.resolve(succeeded)
      },
    })
    builds.vercel.dials.checkRunEvents = 'sparse'
    builds.vercel.dials.teamInPayload = false
    const { id } = builds.deploy()
    expect(await checked(builds, { id })).toMatchObject({ conclusion: 'succeeded' })
    expect(calls).toMatchObject([{ resourceId: 'db/42 %', deployment: { id } }])
  })

  test('of a check that nobody declares is neutral, and says so', async () => {
    const builds = await checkedBuilds({ run: () => Promise.resolve(succeeded) })
    const [check] = builds.project.checks
    builds.project.checks.splice(0, 1, { ...check!, name: 'Renamed' })
    const { id } = builds.deploy()
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'neutral',
      conclusionText: expect.stringContaining('no check "Renamed"'),
    })
  })
})

describe('one conclusion is sent', () => {
  test('when the answer to it is lost, with the same words again', async () => {
    const builds = await checkedBuilds({ run: () => Promise.resolve(succeeded) })
    builds.vercel.dials.checkUpdateAfterEnd = 200
    builds.vercel.dials.failNext.push({
      match: { kind: 'check-run', status: 'completed' },
      answer: 'cut-after',
    })
    const { id } = builds.deploy()
    await checked(builds, { id })
    await endOf(builds, { id })
    expect(onlyRun(builds.vercel.deployment(id).checkRuns)).toMatchObject({
      acceptedStatuses: ['running', 'completed', 'completed'],
      terminalBodies: 1,
    })
  })

  test.each([404, 409, 410] as const)(
    'and a refusal with %i, as nobody waits for it any more, ends the run',
    async (status) => {
      const check = heldCheck()
      const builds = await checkedBuilds({ run: check.run })
      builds.vercel.dials.checkUpdateAfterEnd = status
      builds.vercel.dials.dropWebhooks = ['deployment.checkrun.cancel']
      const { id } = builds.deploy()
      await check.begun
      builds.vercel.cancelCheckRun(id, onlyRun(builds.vercel.deployment(id).checkRuns).id)
      check.release()
      expect(await endOf(builds, { id })).toEqual({
        phase: 'succeeded',
        because: 'All is well. Vercel takes no conclusion of it any more.',
      })
      expect(await checked(builds, { id })).toMatchObject({ acceptedStatuses: ['running'] })
    },
  )

  test('when Vercel is away for a moment', async () => {
    const builds = await checkedBuilds({ run: () => Promise.resolve(succeeded) })
    builds.vercel.dials.failNext.push({
      match: { kind: 'check-run' },
      answer: { status: 503 },
      times: 4,
    })
    expect(await checked(builds, builds.deploy())).toMatchObject({ conclusion: 'succeeded' })
  })
})

describe('a check that', () => {
  test('cannot succeed any more fails with its own words', async () => {
    const builds = await checkedBuilds({
      run: () =>
        Promise.reject(new ActionFailure('x', 'The schema differs.', { retryable: false })),
    })
    expect(await checked(builds, builds.deploy())).toMatchObject({
      conclusion: 'failed',
      conclusionText: 'The schema differs.',
    })
  })

  test('is only stopped by chance is tried again', async () => {
    let failures = 2
    const builds = await checkedBuilds({
      run: () =>
        failures-- > 0 ? Promise.reject(new Error('hunter2')) : Promise.resolve(succeeded),
    })
    expect(await checked(builds, builds.deploy())).toMatchObject({ conclusion: 'succeeded' })
  })

  test('never gets through is concluded as timeout before it gets stale, with what was wrong', async () => {
    const builds = await checkedBuilds({
      deadline: '5 seconds',
      run: () => Promise.reject(new ActionFailure('x', 'No answer.', { retryable: true })),
    })
    expect(await checked(builds, builds.deploy())).toMatchObject({
      conclusion: 'timeout',
      conclusionText: 'No answer. It was tried until the time of the check was over.',
    })
  })

  test('hangs is cut off before it gets stale', async () => {
    const check = heldCheck()
    const builds = await checkedBuilds({ run: check.run, timeout: '4 seconds' })
    expect(await checked(builds, builds.deploy())).toMatchObject({
      conclusion: 'timeout',
      conclusionText: 'The check was still at work when the time of the check was over.',
      acceptedStatuses: ['running', 'completed'],
    })
    await expect.poll(() => check.ended).toEqual(['aborted'])
  })
})

describe('a cancel', () => {
  test('stops the check, and concludes it as canceled', async () => {
    const check = heldCheck()
    const builds = await checkedBuilds({ run: check.run })
    builds.vercel.dials.cancelEndsCheckRun = false
    const { id } = builds.deploy()
    await check.begun
    builds.vercel.cancelCheckRun(id, onlyRun(builds.vercel.deployment(id).checkRuns).id)
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'canceled',
      acceptedStatuses: ['running', 'completed'],
    })
    expect(check.ended).toEqual(['aborted'])
    expect(await endOf(builds, { id })).toMatchObject({ phase: 'canceled' })
  })

  test('that comes before its start concludes it, and the start checks nothing', async () => {
    let runs = 0
    const builds = await checkedBuilds({
      run: () => {
        runs++
        return Promise.resolve(succeeded)
      },
    })
    const { vercel } = builds
    vercel.dials.cancelEndsCheckRun = false
    vercel.dials.holdWebhooks = ['deployment.checkrun.start']
    const { id } = builds.deploy()
    vercel.cancelCheckRun(id, onlyRun(vercel.deployment(id).checkRuns).id)
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'canceled',
      acceptedStatuses: ['completed'],
    })
    await endOf(builds, { id })
    await vercel.releaseWebhooks()
    expect(await endOf(builds, { id })).toMatchObject({ phase: 'canceled' })
    expect(runs).toBe(0)
  })

  test('and a start at the same moment leave one conclusion, whichever is first', async () => {
    const builds = await checkedBuilds({ run: () => Promise.resolve(succeeded) })
    const { vercel } = builds
    vercel.dials.dropWebhooks = ['deployment.checkrun.start']
    const deployments = [1, 2, 3, 4].map(() => builds.deploy())
    await Promise.all(
      deployments.map(async ({ id }, index) => {
        const { id: runId } = onlyRun(vercel.deployment(id).checkRuns)
        const kinds =
          index % 2 === 0 ? (['start', 'cancel'] as const) : (['cancel', 'start'] as const)
        await Promise.all(
          kinds.map((kind) => vercel.sendWebhook(vercel.checkRunEvent(kind, id, runId))),
        )
      }),
    )
    for (const { id } of deployments) {
      const run = await checked(builds, { id })
      await endOf(builds, { id })
      expect(['canceled', 'succeeded']).toContain(run.conclusion)
      expect(run.acceptedStatuses.filter((status) => status === 'completed')).toHaveLength(1)
    }
  })

  test('of an operator in Temporal is a cancel like Vercel’s', async () => {
    const check = heldCheck()
    const builds = await checkedBuilds({ run: check.run })
    const { id } = builds.deploy()
    await check.begun
    const { id: checkRunId } = onlyRun(builds.vercel.deployment(id).checkRuns)
    const key = { installationId: builds.vercel.installation.id, deploymentId: id, checkRunId }
    await environment.client.workflow.getHandle(checkRunWorkflowId(key)).cancel()
    expect(await checked(builds, { id })).toMatchObject({ conclusion: 'canceled' })
  })
})

describe('a check after an action', () => {
  let builds: HeldBuilds
  let seen: { call: CheckCall; madeBefore: string[] }[]
  beforeEach(async () => {
    seen = []
    const smoke: CheckDefinition = {
      name: 'Smoke',
      requires: 'none',
      targets: ['preview'],
      after: 'branch',
      run: (call) => {
        seen.push({ call, madeBefore: [...provider.calls] })
        return Promise.resolve(succeeded)
      },
    }
    builds = await holdBuilds(
      environment,
      { branch: branchAction(provider) },
      { checks: { smoke } },
    )
    await builds.checksRegistered()
  })
  afterEach(() => builds.close())

  const signalsOf = async (deployment: { id: string }) => {
    const workflowId = actionWorkflowId(builds.keyOf(deployment))
    const { events } = await environment.client.workflow.getHandle(workflowId).fetchHistory()
    return (events ?? []).flatMap(
      (each) => each.workflowExecutionSignaledEventAttributes?.signalName ?? [],
    )
  }

  test('waits for it while it is at work, and is told of its end by its run', async () => {
    const step = holdStep(provider, 'after', 'create')
    const { id } = builds.deploy()
    await step.reached
    await expect.poll(() => signalsOf({ id })).toEqual(['awaitEnd'])
    expect(onlyRun(builds.vercel.deployment(id).checkRuns).status).toBe('running')
    expect(seen).toEqual([])
    step.release()
    expect(await checked(builds, { id })).toMatchObject({ conclusion: 'succeeded' })
    expect(await builds.ended({ id })).toMatchObject({ phase: 'succeeded' })
    expect(seen).toMatchObject([{ call: { action: builds.keyOf({ id }) } }])
    expect(seen[0]?.madeBefore).toContain('open done')
  })

  test('is run at once when it ended before', async () => {
    const [check] = builds.project.checks
    builds.project.checks.splice(0, 1, { ...check!, requires: 'build-ready' })
    const { id } = builds.deploy()
    expect(await checked(builds, { id })).toMatchObject({ conclusion: 'succeeded' })
    expect(seen[0]?.madeBefore).toContain('open done')
  })

  test('waits for it although its start comes in later than that of the check', async () => {
    builds.vercel.dials.holdWebhooks = ['deployment.integration.action.start']
    const { id } = builds.deploy()
    await builds.vercel.untilEvent(
      (event) => event.kind === 'deployment' && event.change === 'check-running',
    )
    await builds.vercel.releaseWebhooks()
    expect(await checked(builds, { id })).toMatchObject({ conclusion: 'succeeded' })
    expect(seen[0]?.madeBefore).toContain('open done')
  })

  test('is skipped where the deployment does not have it', async () => {
    const project = builds.vercel.createProject({
      name: 'other',
      resources: [{ resourceId: 'db', actions: {} }],
    })
    await builds.vercel.untilEvent(() => project.checks.length === 1)
    const [check] = project.checks
    project.checks.splice(0, 1, { ...check!, requires: 'build-ready' })
    expect(await checked(builds, builds.vercel.deploy(project))).toMatchObject({
      conclusion: 'skipped',
    })
    expect(seen).toEqual([])
  })

  test('fails with its words when it failed', async () => {
    provider.after = (step) =>
      step === 'create'
        ? Promise.reject(new ActionFailure('quota', 'No branch is left.', { retryable: false }))
        : Promise.resolve()
    expect(await checked(builds, builds.deploy())).toMatchObject({
      conclusion: 'failed',
      conclusionText: 'The action branch failed: No branch is left.',
    })
    expect(seen).toEqual([])
  })

  test('is canceled when it is taken back', async () => {
    const step = holdStep(provider, 'after', 'create')
    builds.vercel.dials.holdWebhooks = ['deployment.checkrun.cancel']
    const { id } = builds.deploy()
    await step.reached
    await expect.poll(() => signalsOf({ id })).toEqual(['awaitEnd'])
    builds.vercel.cancelAction(id)
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'canceled',
      conclusionText: expect.stringContaining('was taken back'),
    })
    expect(provider.branches.size).toBe(0)
  })

  test('leaves the action what it is: a cancel that comes as its end is told leaves nothing behind', async () => {
    builds.vercel.dials.dropWebhooks = ['deployment.checkrun.cancel']
    for (let round = 1; round <= 4; round++) {
      const step = holdStep(provider, 'after', 'create')
      const { id } = builds.deploy()
      await step.reached
      await expect.poll(() => signalsOf({ id })).toEqual(['awaitEnd'])
      step.release()
      await builds.vercel.until(id, ({ actions }) => actions[0]?.status === 'succeeded')
      builds.vercel.cancel(id)
      await builds.ended({ id }, { after: 'cancel' })
      expect(provider.has(builds.keyOf({ id }))).toBe(false)
    }
  })
})
