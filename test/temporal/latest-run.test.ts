import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dispatch, dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import { startAction } from '../../src/dispatch/start-action.ts'
import { withdrawAction } from '../../src/dispatch/withdraw-action.ts'
import { type ActionKey, actionWorkflowId } from '../../src/domain/action-key.ts'
import { latestRun } from '../../src/temporal/latest-run.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { dispatchForTest } from '../dispatch/dispatch-for-test.ts'

// A real server and no worker: runs stay open until a test ends them. How runs end by themselves is shown in
// `workflows/reconciliation.test.ts`.

let environment: TemporalEnvironment
let dispatch: Dispatch
beforeAll(async () => {
  environment = await devServerEnvironment()
  dispatch = dispatchForTest(environment)
})
afterAll(() => environment.teardown())

let count = 0
function newKey(): ActionKey {
  return {
    installationId: 'icfg_A',
    resourceId: 'db',
    deploymentId: `dpl_${++count}`,
    action: 'branch',
  }
}
const latest = (key: ActionKey) => latestRun(environment.client, actionWorkflowId(key))
const terminate = (key: ActionKey) =>
  environment.client.workflow.getHandle(actionWorkflowId(key)).terminate()
const start = (key: ActionKey) =>
  dispatchEvent(dispatch, {
    kind: 'action',
    action: { key, wish: 'run', deliveryId: 'uev_1', occurredAt: 0 },
  })
const because = 'A reason.'

test('a key without a run has none', async () => {
  expect(await latest(newKey())).toBe('none')
})

test('an action whose run was terminated is broken, and may be resumed once', async () => {
  const key = newKey()
  await start(key)
  expect(await latest(key)).toBe('open')
  expect(await startAction(dispatch, { key }, { brokenOff: true, because })).toBe('duplicate')
  await terminate(key)
  expect(await latest(key)).toBe('broken')
  expect(await startAction(dispatch, { key }, { brokenOff: false, because })).toBe('duplicate')
  expect(await startAction(dispatch, { key }, { brokenOff: true, because })).toBe('accepted')
  expect(await latest(key)).toBe('open')
  const run = await environment.client.workflow.getHandle(actionWorkflowId(key)).describe()
  expect(await run.staticDetails()).toContain(because)
})

test('a compensation that was terminated meant to leave nothing', async () => {
  const key = newKey()
  await withdrawAction(dispatch, { key }, 'cleaned', because)
  await terminate(key)
  expect(await latest(key)).toBe('failed')
})

test('a withdrawal reaches the open run of the action, with no second one beside it', async () => {
  const key = newKey()
  await start(key)
  await withdrawAction(dispatch, { key }, 'cleaned', because)
  const run = await environment.client.workflow.getHandle(actionWorkflowId(key)).describe()
  expect(run.type).toBe('deploymentAction')
})

test('Temporal that does not answer is no key without a run', async () => {
  const other = await devServerEnvironment()
  await other.nativeConnection.close()
  await expect(latestRun(other.client, actionWorkflowId(newKey()))).rejects.toThrow()
})
