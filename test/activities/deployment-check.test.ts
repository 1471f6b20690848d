import { describe, expect, test } from 'vitest'
import type { CheckDefinition } from '../../src/checks/define-check.ts'
import { deploymentCheckExternalId } from '../../src/domain/deployment-check.ts'
import { activitiesForTest, failureOf } from './activities-for-test.ts'

const run = () => Promise.resolve({ conclusion: 'succeeded' as const })

/** The activities with a check of v1, and a deployment whose build waits for its action. */
async function deployedCheck(
  check: Partial<CheckDefinition> = {},
  options: Parameters<typeof activitiesForTest>[1] = {},
) {
  const smoke = { api: 'v1', name: 'Smoke', targets: ['preview'], run, ...check } as const
  const activities = await activitiesForTest({}, { checks: { smoke }, ...options })
  const { installationId, deploymentId } = activities.key
  const key = { installationId, deploymentId, check: 'smoke', resourceId: 'db/1' }
  const opening = { key, isBuilt: false }
  return {
    ...activities,
    key,
    opening,
    open: (more: object = {}) => activities.run('openDeploymentCheck', { ...opening, ...more }),
    checks: () => activities.vercel.deployment(deploymentId).checks,
  }
}

describe('a check is opened', () => {
  test('by creating it once, and kept from getting stale from then on', async () => {
    const { open, checks, key } = await deployedCheck({ blocks: 'none', isRerequestable: true })
    const opened = await open()
    expect(checks()).toMatchObject([
      {
        name: 'Smoke',
        blocking: false,
        rerequestable: true,
        externalId: deploymentCheckExternalId(key),
        status: 'registered',
      },
    ])
    const [before] = checks()
    expect(opened).toEqual({ kind: 'created', checkId: before?.id })
    expect(await open()).toEqual(opened)
    const [after, ...others] = checks()
    expect(others).toEqual([])
    expect(after?.updatedAt).toBeGreaterThanOrEqual(before?.updatedAt ?? Infinity)
  })

  test('and run when Vercel has told that it is built, or shows it so', async () => {
    const told = await deployedCheck({ after: 'branch', deadline: '1 minute' })
    const { deploymentId, installationId } = told.key
    expect(await told.open({ isBuilt: true })).toMatchObject({
      kind: 'open',
      checkId: told.checks()[0]?.id,
      check: 'smoke',
      deployment: { id: deploymentId },
      resourceId: 'db/1',
      action: { installationId, deploymentId, resourceId: 'db/1', action: 'branch' },
      deadlineMs: 60_000,
    })
    expect(told.checks()).toMatchObject([{ status: 'running' }])
    const shown = await deployedCheck()
    shown.vercel.dials.deploymentOverrides = { readyState: 'READY' }
    expect(await shown.open()).toMatchObject({ kind: 'open' })
  })

  test.each([
    ['its environment is none of its targets', { targets: ['production'] }, 'It checks production'],
    ['it is of v2 now', { api: 'v2' }, 'no such check of v1'],
  ] as const)('not when %s', async (_, check, because) => {
    const { open, checks } = await deployedCheck(check)
    expect(await open()).toEqual({ kind: 'over', because: expect.stringContaining(because) })
    expect(checks()).toEqual([])
  })

  test('not when it has its conclusion', async () => {
    const { open, run, opening } = await deployedCheck()
    await open()
    const verdict = { conclusion: 'neutral' } as const
    expect(await run('concludeDeploymentCheck', { ...opening, verdict })).toBe(true)
    expect(await open({ isBuilt: true })).toEqual({
      kind: 'over',
      because: 'It has its conclusion.',
    })
  })

  test('not for a deployment that was canceled or failed; what is there is canceled', async () => {
    for (const readyState of ['CANCELED', 'ERROR']) {
      const { open, checks, vercel } = await deployedCheck()
      vercel.dials.deploymentOverrides = { readyState }
      expect(await open()).toMatchObject({ kind: 'over' })
      vercel.dials.deploymentOverrides = {}
      await open()
      vercel.dials.deploymentOverrides = { readyState }
      expect(await open()).toMatchObject({
        kind: 'decided',
        checkId: checks()[0]?.id,
        verdict: { conclusion: 'canceled' },
      })
    }
  })

  test('not for one that Vercel does not know, after it has been asked a few times', async () => {
    const first = await deployedCheck()
    first.vercel.remove(first.key.deploymentId)
    expect(await failureOf(first.open())).toMatchObject({
      type: 'deployment_unknown',
      nonRetryable: false,
    })
    const last = await deployedCheck({}, { attempt: 4 })
    last.vercel.remove(last.key.deploymentId)
    expect(await last.open()).toMatchObject({ kind: 'over' })
  })

  test.each([400, 404, 410])(
    'not when Vercel refuses it with %i, which is logged',
    async (status) => {
      const { open, vercel, logged } = await deployedCheck()
      vercel.dials.failNext.push({ match: { kind: 'check' }, answer: { status } })
      expect(await open()).toEqual({
        kind: 'over',
        because: expect.stringContaining(String(status)),
      })
      expect(logged()).toContain('check.not_opened')
    },
  )

  test('later, when Vercel may take it then', async () => {
    const { open, vercel } = await deployedCheck()
    vercel.dials.failNext.push({ match: { kind: 'check' }, answer: { status: 403 } })
    expect(await failureOf(open())).toMatchObject({ nonRetryable: false })
  })
})

describe('a check that is requested again', () => {
  const rerequested = async (check: Partial<CheckDefinition> = {}) => {
    const deployed = await deployedCheck({ isRerequestable: true, ...check })
    await deployed.open()
    const checkId = deployed.checks()[0]?.id ?? ''
    const { vercel, key, opening, run } = deployed
    await run('concludeDeploymentCheck', { ...opening, verdict: { conclusion: 'failed' } })
    vercel.rerequestCheck(key.deploymentId, checkId)
    return { ...deployed, checkId }
  }

  test('is run, though its deployment failed meanwhile, and is ours again', async () => {
    const { open, checkId, checks, key, vercel } = await rerequested()
    vercel.dials.deploymentOverrides = { readyState: 'ERROR' }
    expect(await open({ rerequested: checkId })).toMatchObject({ kind: 'open', checkId })
    expect(checks()).toMatchObject([
      { status: 'running', externalId: deploymentCheckExternalId(key) },
    ])
  })

  test('is none of another name, and creates nothing', async () => {
    const { open, checks } = await rerequested()
    expect(await open({ rerequested: 'check_none' })).toEqual({
      kind: 'over',
      because: 'Another check was asked for.',
    })
    const { open: openOther, checkId, vercel, key } = await rerequested()
    const other = { ...key, resourceId: 'db/2' }
    const about = { key: other, isOneOfSeveral: true, rerequested: checkId }
    expect(await openOther(about)).toMatchObject({ kind: 'over' })
    expect([checks().length, vercel.deployment(key.deploymentId).checks.length]).toEqual([1, 1])
  })

  test('is reset until it runs again', async () => {
    const { run, open, opening, checkId } = await rerequested()
    expect(await run('isDeploymentCheckReset', { ...opening, checkId })).toBe(true)
    await open({ rerequested: checkId })
    expect(await run('isDeploymentCheckReset', { ...opening, checkId })).toBe(false)
  })
})

describe('a conclusion', () => {
  test('is told of the check that is known, or found by our id, with its text in the log', async () => {
    const { run, open, opening, checks, logged } = await deployedCheck()
    await open()
    const verdict = {
      conclusion: 'timeout',
      text: 'Too late.',
      externalUrl: 'https://example.com',
    } as const
    expect(await run('concludeDeploymentCheck', { ...opening, verdict })).toBe(true)
    expect(checks()).toMatchObject([{ conclusion: 'failed', detailsUrl: 'https://example.com' }])
    expect(logged()).toContain('"text":"Too late."')
    const checkId = checks()[0]?.id ?? ''
    expect(await run('concludeDeploymentCheck', { ...opening, checkId, verdict })).toBe(false)
    expect(logged()).toContain('check.conclusion_not_taken')
  })

  test('of a check that is not there is told to nobody', async () => {
    const { run, opening, logged } = await deployedCheck()
    const verdict = { conclusion: 'canceled' } as const
    expect(await run('concludeDeploymentCheck', { ...opening, verdict })).toBe(false)
    expect(logged()).not.toContain('check.concluded')
  })
})
