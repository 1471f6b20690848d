import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Dispatch, dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import { checkRegistrationWorkflowId } from '../../src/domain/check-registration.ts'
import { type CheckRunEvent, checkRunWorkflowId } from '../../src/domain/check-run.ts'
import type { ResourceConnected } from '../../src/domain/vercel-event.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { dispatchForTest } from './dispatch-for-test.ts'

// A real server and no worker: what Temporal has stored is all that there is to see.

let environment: TemporalEnvironment
let dispatch: Dispatch
beforeAll(async () => {
  environment = await devServerEnvironment()
  dispatch = dispatchForTest(environment, { registersChecks: true })
})
afterAll(() => environment.teardown())

let count = 0
function checkRun(fields: Partial<CheckRunEvent> = {}): CheckRunEvent {
  return {
    key: { installationId: 'icfg_A', deploymentId: 'dpl_1', checkRunId: `ckr_${++count}` },
    wish: 'run',
    deliveryId: `uev_${count}`,
    occurredAt: 5,
    resourceId: 'db/1',
    name: 'Smoke',
    timeoutSeconds: 300,
    ...fields,
  }
}
const dispatchRun = (run: CheckRunEvent) => dispatchEvent(dispatch, { kind: 'check-run', run })
const handleOf = ({ key }: CheckRunEvent) =>
  environment.client.workflow.getHandle(checkRunWorkflowId(key))

async function storedOf(workflowId: string) {
  const handle = environment.client.workflow.getHandle(workflowId)
  const { events } = await handle.fetchHistory()
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

describe('the start of a check run', () => {
  test('is stored as one workflow with all that it needs, and found by its ids', async () => {
    const run = checkRun({ teamId: 'team_1' })
    expect(await dispatchRun(run)).toBe('accepted')
    const { wish: _, deliveryId: __, ...request } = run
    expect(await storedOf(checkRunWorkflowId(run.key))).toEqual({
      type: 'deploymentCheckRun',
      input: request,
      signals: [],
    })
    const description = await handleOf(run).describe()
    expect(description.searchAttributes).toMatchObject({
      HoldpointInstallation: ['icfg_A'],
      HoldpointResource: ['db/1'],
      HoldpointDeployment: ['dpl_1'],
    })
    expect(await description.staticSummary()).toBe('Smoke on dpl_1')
  })

  test('that comes again is a duplicate, at the same time and after its end too', async () => {
    const run = checkRun()
    const answers = await Promise.all([1, 2, 3].map(() => dispatchRun(run)))
    expect(answers.sort()).toEqual(['accepted', 'duplicate', 'duplicate'])
    await handleOf(run).terminate()
    expect(await dispatchRun(run)).toBe('duplicate')
  })
})

describe('the cancel of a check run', () => {
  test('is a signal to it, as often as it comes', async () => {
    const run = checkRun()
    await dispatchRun(run)
    expect(await dispatchRun({ ...run, wish: 'canceled' })).toBe('accepted')
    expect(await dispatchRun({ ...run, wish: 'canceled' })).toBe('accepted')
    const { signals } = await storedOf(checkRunWorkflowId(run.key))
    expect(signals).toEqual(['cancel', 'cancel'])
  })

  test('that overtakes its start makes that a duplicate', async () => {
    const run = checkRun()
    expect(await dispatchRun({ ...run, wish: 'canceled' })).toBe('accepted')
    expect(await dispatchRun(run)).toBe('duplicate')
    expect(await storedOf(checkRunWorkflowId(run.key))).toMatchObject({
      type: 'deploymentCheckRun',
      signals: ['cancel'],
    })
  })

  test('of one that has been concluded is a duplicate: no second conclusion is sent', async () => {
    const run = checkRun()
    await dispatchRun(run)
    await handleOf(run).terminate()
    expect(await dispatchRun({ ...run, wish: 'canceled' })).toBe('duplicate')
  })
})

describe('a resource that is connected to a project', () => {
  const connection = (): ResourceConnected => ({
    kind: 'resource-connected',
    installationId: 'icfg_A',
    resourceId: 'db/1',
    projectId: `prj_${++count}`,
    connected: true,
  })

  test('has one registration at a time, and a further one with a further event', async () => {
    const event = connection()
    const answers = await Promise.all([1, 2].map(() => dispatchEvent(dispatch, event)))
    expect(answers.sort()).toEqual(['accepted', 'duplicate'])
    const workflowId = checkRegistrationWorkflowId(event)
    const { kind: _, connected: __, ...registration } = event
    expect(await storedOf(workflowId)).toMatchObject({
      type: 'checkRegistration',
      input: registration,
    })
    await environment.client.workflow.getHandle(workflowId).terminate()
    expect(await dispatchEvent(dispatch, event)).toBe('accepted')
  })

  test('is ignored where no checks are declared, and so is the end of a connection', async () => {
    const event = connection()
    const without = { ...dispatch, registersChecks: false }
    expect(await dispatchEvent(without, event)).toBe('ignored')
    expect(await dispatchEvent(dispatch, { ...event, connected: false })).toBe('ignored')
  })
})
