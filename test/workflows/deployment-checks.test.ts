import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { CheckCall, CheckDefinition } from '../../src/checks/define-check.ts'
import type { CheckRunEnd } from '../../src/domain/check-run.ts'
import { deploymentCheckWorkflowId } from '../../src/domain/deployment-check.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import type { DeploymentCheckSnapshot } from '../../src/simulator/index.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { branchAction, type BranchProvider, branchProvider, holdStep } from './branch-provider.ts'
import { heldCheck, succeeded } from './held-check.ts'
import { type HeldBuilds, holdBuilds } from './hold-builds.ts'

// Checks of the Checks API v1: each deployment has its own.

let environment: TemporalEnvironment
let provider: BranchProvider

beforeAll(async () => {
  environment = await devServerEnvironment()
})
afterAll(() => environment.teardown())
beforeEach(() => {
  provider = branchProvider()
})

const succeeds = () => Promise.resolve(succeeded)

/** Builds with one check of v1, of previews, that may be asked for again. */
async function checkedBuilds(
  check: Partial<CheckDefinition> = {},
  more: Record<string, CheckDefinition> = {},
): Promise<HeldBuilds> {
  const smoke: CheckDefinition = {
    api: 'v1',
    name: 'Smoke',
    targets: ['preview'],
    isRerequestable: true,
    run: succeeds,
    ...check,
  }
  const builds = await holdBuilds(
    environment,
    { branch: branchAction(provider) },
    { checks: { smoke, ...more } },
  )
  onTestFinished(() => builds.close())
  return builds
}

/** Deploys, with a build that is held until the checks are there, and goes on when `release` is called. */
async function deployed(builds: HeldBuilds, checks = 1) {
  const step = holdStep(provider, 'before', 'create')
  const { id } = builds.deploy()
  await builds.vercel.until(id, (deployment) => deployment.checks.length >= checks)
  return { id, release: step.release }
}

/** The only check of the deployment, once it is completed. */
async function checked(
  { vercel }: HeldBuilds,
  { id }: { id: string },
): Promise<DeploymentCheckSnapshot> {
  const { checks } = await vercel.until(
    id,
    ({ checks }) => checks.length > 0 && checks.every(({ status }) => status === 'completed'),
    { description: 'all checks are completed' },
  )
  const [check] = checks
  if (!check || checks.length > 1) throw new Error(`There are ${checks.length} checks, not one.`)
  return check
}

const handleOf = ({ vercel }: HeldBuilds, { id }: { id: string }, resourceId = 'db/42 %') => {
  const { id: installationId } = vercel.installation
  const key = { installationId, deploymentId: id, check: 'smoke', resourceId }
  return environment.client.workflow.getHandle(deploymentCheckWorkflowId(key))
}
const endOf = (builds: HeldBuilds, deployment: { id: string }) =>
  handleOf(builds, deployment).result() as Promise<CheckRunEnd>

describe('a check of a deployment', () => {
  test('is created with it, run when it is built, and concluded', async () => {
    const check = heldCheck()
    const builds = await checkedBuilds({
      run: check.run,
      externalUrl: ({ checkRunId }) => `https://example.com/${checkRunId}`,
    })
    const { id, release } = await deployed(builds)
    expect(builds.vercel.deployment(id)).toMatchObject({
      readyState: 'QUEUED',
      checks: [{ name: 'Smoke', blocking: true, status: 'registered', rerequestable: true }],
    })
    release()
    await check.begun
    const { checks, readyState } = builds.vercel.deployment(id)
    expect(readyState).toBe('READY')
    expect(checks).toMatchObject([
      { status: 'running', detailsUrl: `https://example.com/${checks[0]?.id}` },
    ])
    check.release()
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'succeeded',
      detailsUrl: `https://example.com/${checks[0]?.id}`,
      acceptedStatuses: ['running', 'completed'],
    })
    expect(await endOf(builds, { id })).toEqual({ phase: 'succeeded', because: 'All is well.' })
    expect(builds.vercel.deployment(id).readyState).toBe('READY')
  })

  test('knows whom it is of: the deployment, its resource, and the branch of its action', async () => {
    const calls: CheckCall[] = []
    const builds = await checkedBuilds({
      after: 'branch',
      run: (call) => {
        calls.push(call)
        return succeeds()
      },
    })
    const { id, release } = await deployed(builds)
    release()
    const { id: checkRunId } = await checked(builds, { id })
    expect(calls).toMatchObject([
      {
        key: { installationId: builds.vercel.installation.id, deploymentId: id, checkRunId },
        deployment: { id, environment: 'preview', gitBranch: 'feature/x' },
        resourceId: 'db/42 %',
        action: builds.keyOf({ id }),
      },
    ])
    expect(provider.calls).toContain('open done')
  })

  test('fails a deployment that may not go on without it, and no other', async () => {
    const run = () =>
      Promise.resolve({ conclusion: 'failed', text: 'The schema differs.' } as const)
    for (const blocks of [undefined, 'none'] as const) {
      const builds = await checkedBuilds({ run, blocks })
      const { id, release } = await deployed(builds)
      release()
      expect(await checked(builds, { id })).toMatchObject({ conclusion: 'failed' })
      expect(await endOf(builds, { id })).toEqual({
        phase: 'failed',
        because: 'The schema differs.',
      })
      expect(builds.vercel.deployment(id)).toMatchObject(
        blocks === 'none'
          ? { readyState: 'READY' }
          : { readyState: 'ERROR', errorMessage: 'The check Smoke has failed' },
      )
    }
  })

  test('that comes too late has failed, before Vercel gives it up', async () => {
    const check = heldCheck()
    const builds = await checkedBuilds({ run: check.run, deadline: '2 seconds' })
    const { id, release } = await deployed(builds)
    release()
    expect(await checked(builds, { id })).toMatchObject({ conclusion: 'failed' })
    expect(await endOf(builds, { id })).toMatchObject({
      phase: 'timeout',
      because: 'The check was still at work when the time of the check was over.',
    })
    await expect.poll(() => check.ended).toEqual(['aborted'])
  })

  test('fails with its action, whose work there is none of', async () => {
    const builds = await checkedBuilds({ after: 'branch', blocks: 'none' })
    const project = builds.vercel.createProject({
      name: 'other',
      resources: [
        {
          resourceId: 'db/42 %',
          required: false,
          actions: { branch: { environments: ['preview'] } },
        },
      ],
    })
    const step = holdStep(provider, 'before', 'create')
    const { id } = builds.vercel.deploy(project, { environment: 'preview' })
    await builds.vercel.until(id, ({ checks }) => checks.length > 0)
    provider.after = (at) =>
      at === 'create'
        ? Promise.reject(new ActionFailure('quota', 'No branch is left.', { retryable: false }))
        : Promise.resolve()
    step.release()
    expect(await checked(builds, { id })).toMatchObject({ conclusion: 'failed' })
    expect(await endOf(builds, { id })).toMatchObject({
      because: 'The action branch failed: No branch is left.',
    })
  })

  test('of an environment that is none of its targets is not created', async () => {
    const builds = await checkedBuilds({ targets: undefined })
    const { id } = builds.deploy()
    await builds.vercel.until(id, ({ readyState }) => readyState === 'READY')
    expect(await endOf(builds, { id })).toEqual({
      phase: 'over',
      because: 'It checks production, not preview.',
    })
    expect(builds.vercel.deployment(id).checks).toEqual([])
  })

  test('is there once for each resource, and people can tell them apart', async () => {
    const seen: string[] = []
    const builds = await checkedBuilds({
      run: ({ resourceId = '' }) => {
        seen.push(resourceId)
        return succeeds()
      },
    })
    builds.vercel.connect(builds.project, { resourceId: 'cache', actions: {} })
    const { id, release } = await deployed(builds, 2)
    release()
    const { checks } = await builds.vercel.until(id, ({ checks }) =>
      checks.every(({ status }) => status === 'completed'),
    )
    expect(checks.map(({ name }) => name).sort()).toEqual(['Smoke (cache)', 'Smoke (db/42 %)'])
    expect(seen.sort()).toEqual(['cache', 'db/42 %'])
    const [cache] = checks.filter(({ name }) => name.includes('cache'))
    builds.vercel.rerequestCheck(id, cache?.id ?? '')
    await checkedAgain(builds, id)
    expect(seen.sort()).toEqual(['cache', 'cache', 'db/42 %'])
  })

  test('is found again after a lost answer, and concluded once', async () => {
    const builds = await checkedBuilds()
    const { vercel } = builds
    vercel.dials.checkUpdateAfterEnd = 200
    vercel.dials.failNext.push(
      { match: { kind: 'check', method: 'POST' }, answer: 'cut-after' },
      { match: { kind: 'check', method: 'GET' }, answer: { status: 503 } },
      { match: { kind: 'check', status: 'completed' }, answer: 'cut-after' },
    )
    const { id, release } = await deployed(builds)
    release()
    await checked(builds, { id })
    await endOf(builds, { id })
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'succeeded',
      acceptedStatuses: ['running', 'completed', 'completed'],
    })
  })
})

describe('the events of a deployment may come', () => {
  test('each twice, and the check is created, run and concluded once', async () => {
    let runs = 0
    const builds = await checkedBuilds({
      run: () => {
        runs++
        return succeeds()
      },
    })
    builds.vercel.dials.duplicateWebhooks = 'new-id'
    const { id, release } = await deployed(builds)
    release()
    await checked(builds, { id })
    await endOf(builds, { id })
    for (const kind of ['created', 'ready'] as const) {
      const answer = await builds.vercel.sendWebhook(builds.vercel.deploymentEvent(kind, id))
      expect(JSON.parse(answer.body)).toEqual({ status: 'duplicate' })
    }
    expect(runs).toBe(1)
    expect(await checked(builds, { id })).toMatchObject({
      acceptedStatuses: ['running', 'completed'],
    })
  })

  test('in the other order: what is built is created and run at once', async () => {
    const builds = await checkedBuilds()
    const { vercel } = builds
    vercel.dials.holdWebhooks = ['deployment.created']
    const step = holdStep(provider, 'before', 'create')
    const { id } = builds.deploy()
    await vercel.sendWebhook(vercel.deploymentEvent('ready', id))
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'succeeded',
      acceptedStatuses: ['running', 'completed'],
    })
    step.release()
    vercel.dials.holdWebhooks = []
    await vercel.releaseWebhooks()
    await endOf(builds, { id })
    expect(vercel.deployment(id).checks).toHaveLength(1)
  })

  test('naming the installation alone, in the deprecated form', async () => {
    const builds = await checkedBuilds({
      run: ({ resourceId }) => Promise.resolve({ ...succeeded, text: String(resourceId) }),
    })
    builds.vercel.dials.installationsInEvents = 'installationIds'
    const { id, release } = await deployed(builds)
    release()
    expect(await checked(builds, { id })).toMatchObject({ conclusion: 'succeeded' })
  })

  test('naming nobody: then no check is created', async () => {
    const builds = await checkedBuilds()
    builds.vercel.dials.installationsInEvents = 'absent'
    const { id } = builds.deploy()
    await builds.vercel.until(id, ({ readyState }) => readyState === 'READY')
    const answer = await builds.vercel.sendWebhook(builds.vercel.deploymentEvent('created', id))
    expect(JSON.parse(answer.body)).toEqual({ status: 'ignored' })
    expect(builds.vercel.deployment(id).checks).toEqual([])
  })
})

describe('a deployment that is canceled', () => {
  test('before it is built has its check canceled', async () => {
    const builds = await checkedBuilds()
    const { id } = await deployed(builds)
    builds.vercel.cancel(id)
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'canceled',
      acceptedStatuses: ['completed'],
    })
    expect(await endOf(builds, { id })).toMatchObject({ phase: 'canceled' })
  })

  test('while it is checked stops the check', async () => {
    const check = heldCheck()
    const builds = await checkedBuilds({ run: check.run })
    const { id, release } = await deployed(builds)
    release()
    await check.begun
    builds.vercel.cancel(id)
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'canceled',
      acceptedStatuses: ['running', 'completed'],
    })
    expect(check.ended).toEqual(['aborted'])
  })

  test('before its creation is told is never checked', async () => {
    const builds = await checkedBuilds()
    const { vercel } = builds
    vercel.dials.holdWebhooks = ['deployment.created']
    holdStep(provider, 'before', 'create')
    const { id } = builds.deploy()
    vercel.cancel(id)
    await expect
      .poll(() =>
        handleOf(builds, { id })
          .describe()
          .then(({ status }) => status.name, String),
      )
      .toBe('COMPLETED')
    await vercel.releaseWebhooks()
    expect(await endOf(builds, { id })).toMatchObject({ phase: 'canceled' })
    expect(vercel.deployment(id).checks).toEqual([])
  })

  test('or fails has those of its checks canceled that are still at work', async () => {
    const check = heldCheck()
    const fails: CheckDefinition = {
      api: 'v1',
      name: 'Fails',
      targets: ['preview'],
      run: () => check.begun.then(() => ({ conclusion: 'failed' as const })),
    }
    const builds = await checkedBuilds({ run: check.run }, { fails })
    const { id, release } = await deployed(builds, 2)
    release()
    const { checks, readyState } = await builds.vercel.until(id, ({ checks }) =>
      checks.every(({ status }) => status === 'completed'),
    )
    expect(readyState).toBe('ERROR')
    expect(Object.fromEntries(checks.map(({ name, conclusion }) => [name, conclusion]))).toEqual({
      Smoke: 'canceled',
      Fails: 'failed',
    })
  })

  test('or removed, of which nobody is told any more, ends its check', async () => {
    const builds = await checkedBuilds()
    const { id } = await deployed(builds)
    builds.vercel.dials.dropWebhooks = ['deployment.canceled', 'deployment.error']
    builds.vercel.remove(id)
    const answer = await builds.vercel.sendWebhook(builds.vercel.deploymentEvent('ready', id))
    expect(answer.status).toBe(200)
    expect(await endOf(builds, { id })).toMatchObject({ phase: 'over' })
  })
})

/** Resolves when every check of the deployment has been concluded once more. */
async function checkedAgain({ vercel }: HeldBuilds, id: string): Promise<void> {
  await vercel.until(id, ({ checks }) =>
    checks.every(({ status, externalId }) => status === 'completed' && externalId !== undefined),
  )
}

describe('a check that is requested again', () => {
  test('is run once more, and what it comes to now counts', async () => {
    const results = ['failed', 'succeeded'] as const
    let runs = 0
    const builds = await checkedBuilds({
      run: () => Promise.resolve({ conclusion: results[runs++] ?? 'neutral' }),
    })
    const { vercel } = builds
    const { id, release } = await deployed(builds)
    release()
    const { id: checkId } = await checked(builds, { id })
    await endOf(builds, { id })
    expect(vercel.deployment(id).readyState).toBe('ERROR')
    vercel.dials.duplicateWebhooks = 'same-id'
    vercel.rerequestCheck(id, checkId)
    await checkedAgain(builds, id)
    expect(vercel.deployment(id)).toMatchObject({
      readyState: 'READY',
      checks: [
        {
          id: checkId,
          conclusion: 'succeeded',
          acceptedStatuses: ['running', 'completed', 'running', 'completed'],
        },
      ],
    })
    const rerequest = {
      type: 'deployment.check-rerequested',
      payload: {
        deployment: { id },
        check: { id: checkId },
        integrations: [
          {
            installationId: vercel.installation.id,
            resources: [{ externalResourceId: 'db/42 %' }],
          },
        ],
      },
    }
    await endOf(builds, { id })
    await vercel.sendWebhook(rerequest)
    expect(await endOf(builds, { id })).toEqual({
      phase: 'over',
      because: 'It has its conclusion.',
    })
    expect(runs).toBe(2)
  })

  test('while it is run is run once more after that', async () => {
    const check = heldCheck()
    let runs = 0
    const builds = await checkedBuilds({
      run: async (call) => {
        runs++
        return runs === 1 ? await check.run(call) : succeeded
      },
    })
    const { id, release } = await deployed(builds)
    release()
    await check.begun
    const { vercel } = builds
    vercel.rerequestCheck(id, vercel.deployment(id).checks[0]?.id ?? '')
    await expect
      .poll(async () => {
        const { events } = await handleOf(builds, { id }).fetchHistory()
        return events?.flatMap(
          (each) => each.workflowExecutionSignaledEventAttributes?.signalName ?? [],
        )
      })
      .toContain('rerequest')
    check.release()
    expect(await checked(builds, { id })).toMatchObject({
      conclusion: 'succeeded',
      // What was found out before that is not told.
      acceptedStatuses: ['running', 'running', 'completed'],
    })
    expect(await endOf(builds, { id })).toMatchObject({ phase: 'succeeded' })
    expect(runs).toBe(2)
  })

  test('is run to its end, though the failure that it had caused is told only then', async () => {
    const check = heldCheck()
    let runs = 0
    const builds = await checkedBuilds({
      run: async (call) => (runs++ === 0 ? { conclusion: 'failed' } : await check.run(call)),
    })
    const { vercel } = builds
    vercel.dials.holdWebhooks = ['deployment.error']
    const { id, release } = await deployed(builds)
    release()
    const { id: checkId } = await checked(builds, { id })
    vercel.rerequestCheck(id, checkId)
    await check.begun
    await vercel.releaseWebhooks()
    check.release()
    expect(await checked(builds, { id })).toMatchObject({ conclusion: 'succeeded' })
    expect(check.ended).toEqual(['done'])
  })

  test('is alone run, not the other one of the same deployment', async () => {
    const runs: string[] = []
    const counted = (name: string) => () => {
      runs.push(name)
      return succeeds()
    }
    const other: CheckDefinition = {
      api: 'v1',
      name: 'Other',
      targets: ['preview'],
      isRerequestable: true,
      run: counted('other'),
    }
    const builds = await checkedBuilds({ run: counted('smoke') }, { other })
    const { vercel } = builds
    const { id, release } = await deployed(builds, 2)
    release()
    const { checks } = await vercel.until(id, ({ checks }) =>
      checks.every(({ status }) => status === 'completed'),
    )
    await endOf(builds, { id })
    vercel.rerequestCheck(id, checks.find(({ name }) => name === 'Other')?.id ?? '')
    await checkedAgain(builds, id)
    expect(await endOf(builds, { id })).toEqual({
      phase: 'over',
      because: 'Another check was asked for.',
    })
    expect(runs.sort()).toEqual(['other', 'other', 'smoke'])
  })
})

test('a check of another installation is never touched, though its event names both', async () => {
  const builds = await checkedBuilds()
  const { vercel } = builds
  const { id, release } = await deployed(builds)
  release()
  const before = await checked(builds, { id })
  await endOf(builds, { id })
  const theirs = vercel.createInstallation({ accessToken: 'theirs' })
  builds.vercelToken.current = 'theirs'
  vercel.dials.teamInPayload = false
  const { payload } = vercel.deploymentEvent('ready', id)
  for (const type of ['deployment.created', 'deployment.ready', 'deployment.canceled'])
    await vercel.sendWebhook({
      type,
      payload: { ...payload, integrations: [{ installationId: theirs.id }] },
    })
  await vercel.sendWebhook({
    type: 'deployment.check-rerequested',
    payload: {
      deployment: { id },
      check: { id: before.id },
      integrations: [{ installationId: theirs.id }],
    },
  })
  const key = { installationId: theirs.id, deploymentId: id, check: 'smoke' }
  const handle = environment.client.workflow.getHandle(deploymentCheckWorkflowId(key))
  expect(await handle.result()).toMatchObject({ phase: expect.stringMatching(/over|canceled/) })
  expect(vercel.deployment(id).checks).toEqual([before])
})
