import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dispatch, dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import { withdrawAction } from '../../src/dispatch/withdraw-action.ts'
import { type ActionKey, actionWorkflowId } from '../../src/domain/action-key.ts'
import { actionEnd } from '../../src/temporal/action-end.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { dispatchForTest } from '../dispatch/dispatch-for-test.ts'

// A real server and no worker: runs stay open until a test ends them. How those that end by themselves are told is
// shown in `workflows/check-runs.test.ts`.

let environment: TemporalEnvironment
let dispatch: Dispatch
beforeAll(async () => {
  environment = await devServerEnvironment()
  dispatch = dispatchForTest(environment)
})
afterAll(() => environment.teardown())

const keyOf = (deploymentId: string): ActionKey => ({
  installationId: 'icfg_A',
  resourceId: 'db',
  deploymentId,
  action: 'branch',
})
const start = (key: ActionKey) =>
  dispatchEvent(dispatch, {
    kind: 'action',
    action: { key, wish: 'run', deliveryId: 'uev_1', occurredAt: 0 },
  })
const endOf = (key: ActionKey) => actionEnd(environment.client, actionWorkflowId(key))

test('an action without a run has no end', async () => {
  expect(await endOf(keyOf('dpl_none'))).toBe('none')
})

test('an action at work is open, and one that was broken off has failed', async () => {
  const key = keyOf('dpl_open')
  await start(key)
  expect(await endOf(key)).toBe('open')
  await environment.client.workflow.getHandle(actionWorkflowId(key)).terminate()
  expect(await endOf(key)).toEqual({
    phase: 'failed',
    because: 'Its run was broken off in Temporal.',
  })
})

test('an action that is being taken back has ended, however that goes', async () => {
  const key = keyOf('dpl_withdrawn')
  await withdrawAction(dispatch, { key }, 'canceled')
  expect(await endOf(key)).toMatchObject({ phase: 'canceled' })
  await environment.client.workflow.getHandle(actionWorkflowId(key)).terminate()
  expect(await endOf(key)).toMatchObject({ phase: 'canceled' })
})

test('Temporal that does not answer is no action without a run', async () => {
  const other = await devServerEnvironment()
  await other.nativeConnection.close()
  await expect(actionEnd(other.client, 'action~any')).rejects.toThrow()
})
