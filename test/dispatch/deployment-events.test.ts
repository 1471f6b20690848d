import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Dispatch, dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import { withdrawOpenRuns } from '../../src/dispatch/withdraw-open-runs.ts'
import { type Concerned, deploymentCheckWorkflowId } from '../../src/domain/deployment-check.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { dispatchForTest } from './dispatch-for-test.ts'

// A real server and no worker: what Temporal has stored is all that there is to see.

let environment: TemporalEnvironment
let dispatch: Dispatch
beforeAll(async () => {
  environment = await devServerEnvironment()
  dispatch = dispatchForTest(environment, { deploymentChecks: ['smoke'] })
})
afterAll(() => environment.teardown())

let count = 0
const newDeployment = (
  concerned: Concerned[] = [{ installationId: 'icfg_A', resourceId: 'db' }],
) => ({
  kind: 'deployment' as const,
  deploymentId: `dpl_${++count}`,
  concerned,
  deliveryId: `uev_${count}`,
  teamId: 'team_1',
})
type Deployment = ReturnType<typeof newDeployment>

const tell = (deployment: Deployment, news: 'created' | 'ready' | 'failed' | 'canceled') =>
  dispatchEvent(dispatch, { ...deployment, news })

const handleOf = ({ deploymentId, concerned: [first] }: Deployment) =>
  environment.client.workflow.getHandle(
    deploymentCheckWorkflowId({ ...first!, deploymentId, check: 'smoke' }),
  )

async function storedOf(workflowId: string) {
  const { events } = await environment.client.workflow.getHandle(workflowId).fetchHistory()
  const started = events?.[0]?.workflowExecutionStartedEventAttributes
  const input = Buffer.from(started?.input?.payloads?.[0]?.data ?? []).toString()
  return {
    type: started?.workflowType?.name,
    input: JSON.parse(input) as unknown,
    signals: (events ?? []).flatMap(
      (each) => each.workflowExecutionSignaledEventAttributes?.signalName ?? [],
    ),
  }
}

describe('the creation of a deployment', () => {
  test('is stored as a workflow for each check and resource, found by its ids', async () => {
    const concerned = [
      { installationId: 'icfg_A', resourceId: 'db' },
      { installationId: 'icfg_A', resourceId: 'cache' },
      { installationId: 'icfg_B' },
    ]
    const deployment = newDeployment(concerned)
    const { deploymentId } = deployment
    const both = { ...dispatch, deploymentChecks: ['smoke', 'schema'] }
    expect(await dispatchEvent(both, { ...deployment, news: 'created' })).toBe('accepted')
    for (const check of both.deploymentChecks)
      for (const each of concerned) {
        const key = { ...each, deploymentId, check }
        expect(await storedOf(deploymentCheckWorkflowId(key))).toEqual({
          type: 'deploymentCheck',
          input: {
            key,
            teamId: 'team_1',
            ...(each.resourceId !== undefined && { isOneOfSeveral: true }),
          },
          signals: [],
        })
      }
    const description = await handleOf(deployment).describe()
    expect(description.searchAttributes).toMatchObject({
      HoldpointInstallation: ['icfg_A'],
      HoldpointResource: ['db'],
      HoldpointDeployment: [deploymentId],
    })
    expect(await description.staticSummary()).toBe(`smoke on ${deploymentId}`)
  })

  test('that comes again is a duplicate, at the same time, later and after the end', async () => {
    const deployment = newDeployment()
    const answers = await Promise.all([1, 2, 3].map(() => tell(deployment, 'created')))
    expect(answers.sort()).toEqual(['accepted', 'duplicate', 'duplicate'])
    await handleOf(deployment).terminate()
    expect(await tell(deployment, 'created')).toBe('duplicate')
  })
})

test.each([
  ['ready', 'deploymentReady'],
  ['failed', 'deploymentFailed'],
  ['canceled', 'cancel'],
] as const)(
  'that it is %s is a signal, as often as it comes, also before its creation is told',
  async (news, signal) => {
    const [first, second] = [newDeployment(), newDeployment()]
    await tell(first, 'created')
    expect([await tell(first, news), await tell(first, news)]).toEqual(['accepted', 'accepted'])
    expect(await storedOf(handleOf(first).workflowId)).toMatchObject({ signals: [signal, signal] })
    expect(await tell(second, news)).toBe('accepted')
    expect(await tell(second, 'created')).toBe('duplicate')
    expect(await storedOf(handleOf(second).workflowId)).toMatchObject({ signals: [signal] })
    await handleOf(second).terminate()
    expect(await tell(second, news)).toBe('duplicate')
  },
)

test('a rerequest is a signal to what is open, and starts what has ended once more', async () => {
  const deployment = newDeployment()
  const rerequest = { ...deployment, news: 'check-rerequested', checkId: 'check_1' } as const
  await tell(deployment, 'created')
  expect(await dispatchEvent(dispatch, rerequest)).toBe('accepted')
  expect(await storedOf(handleOf(deployment).workflowId)).toMatchObject({ signals: ['rerequest'] })
  await handleOf(deployment).terminate()
  expect(await dispatchEvent(dispatch, rerequest)).toBe('accepted')
  expect((await handleOf(deployment).describe()).status.name).toBe('RUNNING')
})

test('what is open is canceled with the removal of its deployment or installation', async () => {
  const deployment = newDeployment()
  await tell(deployment, 'created')
  const { deploymentId } = deployment
  // Temporal's list lags behind.
  await vi.waitFor(
    async () => expect(await withdrawOpenRuns(dispatch, { deploymentId })).toBe(1),
    10_000,
  )
  expect(await storedOf(handleOf(deployment).workflowId)).toMatchObject({ signals: ['cancel'] })
})

test('where no check of v1 is declared nothing is asked of Temporal', async () => {
  const unreachable = new Proxy({} as Dispatch['workflows'], {
    get: () => expect.unreachable('Temporal was asked'),
  })
  const { deploymentChecks: _, ...without } = { ...dispatch, workflows: unreachable }
  const event = { ...newDeployment(), news: 'created' } as const
  expect(await dispatchEvent(without, event)).toBe('ignored')
  expect(await dispatchEvent({ ...without, deploymentChecks: [] }, event)).toBe('ignored')
})

test('an event of which one part is not taken is not accepted, and is taken when it comes again', async () => {
  const deployment = newDeployment([{ installationId: 'icfg_A' }, { installationId: 'icfg_B' }])
  let failures = 1
  const { workflows } = dispatch
  const failing = new Proxy(workflows, {
    get: (target, name) =>
      name === 'start' && failures-- > 0
        ? () => Promise.reject(new Error('unavailable'))
        : (Reflect.get(target, name) as (...args: unknown[]) => unknown).bind(target),
  })
  const event = { ...deployment, news: 'created' } as const
  await expect(dispatchEvent({ ...dispatch, workflows: failing }, event)).rejects.toThrow()
  expect(await dispatchEvent(dispatch, event)).toBe('accepted')
})
