import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Dispatch, dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import { withdrawOpenRuns } from '../../src/dispatch/withdraw-open-runs.ts'
import { type ActionKey, actionWorkflowId } from '../../src/domain/action-key.ts'
import { deploymentRemovalWorkflowId } from '../../src/domain/deployment-removal.ts'
import type { RemovalScope } from '../../src/domain/removal-scope.ts'
import { memoryStore } from '../../src/installations/memory-store.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { dispatchForTest } from './dispatch-for-test.ts'

// A real server and no worker: what Temporal has stored is all that there is to see.

let environment: TemporalEnvironment
let dispatch: Dispatch
beforeAll(async () => {
  environment = await devServerEnvironment()
  dispatch = dispatchForTest(environment)
})
afterAll(() => environment.teardown())

describe('a deployment that is gone for good', () => {
  test('has one removal at a time, and a further look with a further event', async () => {
    const event = {
      kind: 'deployment-removed',
      deploymentId: 'dpl_1',
      accountId: 'team_1',
    } as const
    const answers = await Promise.all([1, 2].map(() => dispatchEvent(dispatch, event)))
    expect(answers).toEqual(['accepted', 'accepted'])
    const handle = environment.client.workflow.getHandle(deploymentRemovalWorkflowId('dpl_1'))
    const first = await handle.describe()
    expect(first).toMatchObject({
      type: 'deploymentRemoval',
      searchAttributes: { HoldpointDeployment: ['dpl_1'] },
      priority: { fairnessKey: 'team_1' },
    })
    expect(await dispatchEvent(dispatch, event)).toBe('accepted')
    expect((await handle.describe()).runId).toBe(first.runId)
    await handle.terminate()
    expect(await dispatchEvent(dispatch, event)).toBe('accepted')
    expect((await handle.describe()).runId).not.toBe(first.runId)
  })
})

describe('an installation that another team has now', () => {
  const event = { kind: 'installation-transferred', installationId: 'icfg_A' } as const
  const toTeam = { ...event, teamId: 'team_2' }

  test('is remembered as that team’s, in the store', async () => {
    const installations = memoryStore()
    const keeping = { ...dispatch, installations }
    expect(await dispatchEvent(keeping, toTeam)).toBe('ignored')
    await installations.putInstallation(
      { id: 'icfg_A', teamId: 'team_1', scopes: [], acceptedPolicies: {}, state: 'active' },
      undefined,
    )
    for (const _ of [1, 2]) expect(await dispatchEvent(keeping, toTeam)).toBe('accepted')
    expect(await installations.getInstallation('icfg_A')).toMatchObject({ teamId: 'team_2' })
    expect(await dispatchEvent(keeping, event)).toBe('ignored')
    expect(await installations.getInstallation('icfg_A')).toMatchObject({ teamId: 'team_2' })
  })

  test('is ignored where no installations are kept', async () => {
    expect(await dispatchEvent(dispatch, toTeam)).toBe('ignored')
  })
})

describe('open runs are withdrawn that carry each id of the scope, and no other', () => {
  const keys: ActionKey[] = ['a', 'b'].flatMap((installation) =>
    ['1', '2'].flatMap((resourceId) =>
      ['x', 'y'].map((deployment) => ({
        installationId: `icfg_${installation}`,
        resourceId,
        deploymentId: `dpl_${deployment}`,
        action: 'branch',
      })),
    ),
  )
  test.each<[RemovalScope, (key: ActionKey) => boolean]>([
    [{ installationId: 'icfg_a' }, (key) => key.installationId === 'icfg_a'],
    [
      { installationId: 'icfg_a', resourceId: '1' },
      (key) => key.installationId === 'icfg_a' && key.resourceId === '1',
    ],
    [{ deploymentId: 'dpl_x' }, (key) => key.deploymentId === 'dpl_x'],
  ])('%j', async (scope, isToGo) => {
    const own = { ...dispatch, taskQueue: `queue-${randomUUID()}` }
    const suffixed = keys.map((key) => ({ ...key, action: own.taskQueue }))
    for (const key of suffixed) {
      const action = { key, wish: 'run', deliveryId: 'uev', occurredAt: 0 } as const
      await dispatchEvent(own, { kind: 'action', action })
    }
    const signalled = async (key: ActionKey) => {
      const handle = environment.client.workflow.getHandle(actionWorkflowId(key))
      const { events } = await handle.fetchHistory()
      return events?.some(
        (each) => each.workflowExecutionSignaledEventAttributes?.signalName === 'cleanup',
      )
    }
    const expected = suffixed.filter(isToGo)
    // Temporal's list lags behind.
    await vi.waitFor(
      async () => expect(await withdrawOpenRuns(own, scope)).toBe(expected.length),
      10_000,
    )
    const withdrawn: ActionKey[] = []
    for (const key of suffixed) if (await signalled(key)) withdrawn.push(key)
    expect(withdrawn).toEqual(expected)
  })
})
