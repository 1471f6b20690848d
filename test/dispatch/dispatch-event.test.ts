import { WorkflowClient } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Dispatch, dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import { startAction } from '../../src/dispatch/start-action.ts'
import type { ActionEvent, Wish } from '../../src/domain/action-event.ts'
import { type ActionKey, actionWorkflowId } from '../../src/domain/action-key.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { dispatchForTest } from './dispatch-for-test.ts'
import { tcpProxy } from '../temporal/tcp-proxy.ts'

// A real server and no worker: what Temporal has stored is all that there is to see.

let environment: TemporalEnvironment
let dispatch: Dispatch
beforeAll(async () => {
  environment = await devServerEnvironment()
  dispatch = dispatchForTest(environment, {
    deadlineMs: (slug) => (slug === 'branch' ? 90_000 : 60_000),
    registersChecks: true,
  })
})
afterAll(() => environment.teardown())

const dispatchAction = (over: Dispatch, action: ActionEvent) =>
  dispatchEvent(over, { kind: 'action', action })

let count = 0
function event(wish: Wish, key: Partial<ActionKey> = {}): ActionEvent {
  return {
    wish,
    key: {
      installationId: 'icfg_A',
      resourceId: 'db/1',
      deploymentId: `dpl_${++count}`,
      action: 'branch',
      ...key,
    },
    deliveryId: `uev_${count}`,
    occurredAt: 0,
  }
}

async function closeRun({ key }: ActionEvent): Promise<void> {
  await environment.client.workflow.getHandle(actionWorkflowId(key)).terminate()
}

/** The run of the event's action, and what came in for it. */
async function runOf({ key }: ActionEvent) {
  const handle = environment.client.workflow.getHandle(actionWorkflowId(key))
  const { events } = await handle.fetchHistory()
  const started = events?.[0]?.workflowExecutionStartedEventAttributes
  const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString()
  return {
    type: started?.workflowType?.name,
    input: JSON.parse(text(started?.input?.payloads?.[0]?.data)) as unknown,
    signals: (events ?? []).flatMap(
      (each) => each.workflowExecutionSignaledEventAttributes?.signalName ?? [],
    ),
    description: await handle.describe(),
  }
}

describe('a start', () => {
  test('is stored as one run of the action, with all that the run needs', async () => {
    const start = { ...event('run'), teamId: 'team_1', options: { size: 3 } }
    expect(await dispatchAction(dispatch, start)).toBe('accepted')
    expect(await runOf(start)).toMatchObject({
      type: 'deploymentAction',
      signals: [],
      input: {
        key: start.key,
        teamId: 'team_1',
        options: { size: 3 },
        deadlineMs: 90_000,
        reportRunningAfterMs: null,
      },
    })
  })

  test('that comes again is a duplicate, at the same time too', async () => {
    const start = event('run')
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => dispatchAction(dispatch, { ...start, deliveryId: 'other' })),
    )
    expect(answers.sort()).toEqual(['accepted', ...Array<string>(4).fill('duplicate')])
    expect(await dispatchAction(dispatch, start)).toBe('duplicate')
  })

  test('of another resource, deployment or action is another run', async () => {
    const start = event('run')
    for (const other of [{}, { resourceId: 'db-1' }, { deploymentId: 'dpl' }, { action: 'x' }]) {
      const key = { ...start.key, ...other }
      expect(await dispatchAction(dispatch, { ...start, key })).toBe('accepted')
    }
  })
})

describe('a cancel or cleanup', () => {
  test.each([
    ['canceled', 'cancel'],
    ['cleaned', 'cleanup'],
  ] as const)(
    'of an open run is a signal to it, as often as it comes: %s',
    async (wish, signal) => {
      const start = event('run')
      await dispatchAction(dispatch, start)
      expect(await dispatchAction(dispatch, { ...start, wish })).toBe('accepted')
      expect(await dispatchAction(dispatch, { ...start, wish })).toBe('accepted')
      expect(await runOf(start)).toMatchObject({
        type: 'deploymentAction',
        signals: [signal, signal],
      })
    },
  )

  test.each([
    ['canceled', 'cancel'],
    ['cleaned', 'cleanup'],
  ] as const)('that overtakes its start makes that a duplicate: %s', async (wish, signal) => {
    const early = event(wish)
    expect(await dispatchAction(dispatch, early)).toBe('accepted')
    expect(await dispatchAction(dispatch, { ...early, wish: 'run' })).toBe('duplicate')
    expect(await runOf(early)).toMatchObject({
      type: 'compensation',
      input: { key: early.key, wish },
      signals: [signal],
    })
  })

  test('of a run that was closed long ago is a run of its own, and a start stays a duplicate', async () => {
    const start = event('run')
    await dispatchAction(dispatch, start)
    await closeRun(start)
    expect(await dispatchAction(dispatch, start)).toBe('duplicate')
    expect(await dispatchAction(dispatch, { ...start, wish: 'cleaned' })).toBe('accepted')
    expect(await runOf(start)).toMatchObject({ type: 'compensation' })
    await closeRun(start)
    expect(await dispatchAction(dispatch, start)).toBe('duplicate')
  })
})

describe('a head start', () => {
  const known = () => {
    const ids: string[] = []
    const headStarts = {
      begin: () => ids.at(ids.push(`head start ${ids.length + 1}`) - 1)!,
      drop: (id: string) => void ids.splice(ids.indexOf(id), 1),
    }
    return { ids, withHeadStarts: { ...dispatch, headStarts } }
  }

  test('is told to the run that it was begun for, and dropped when the start was a duplicate', async () => {
    const { ids, withHeadStarts } = known()
    const start = event('run')
    await dispatchAction(withHeadStarts, start)
    expect(await dispatchAction(withHeadStarts, start)).toBe('duplicate')
    expect(ids).toEqual(['head start 1'])
    expect((await runOf(start)).input).toMatchObject({ headStart: 'head start 1' })
  })

  test('is not begun for a run that goes on with what an earlier one left', async () => {
    const { ids, withHeadStarts } = known()
    const start = event('run')
    await startAction(withHeadStarts, start, { brokenOff: false, because: 'a test' })
    expect(ids).toEqual([])
    expect((await runOf(start)).input).not.toHaveProperty('headStart')
  })
})

describe('people find a run', () => {
  test.each([
    ['run', undefined],
    ['canceled', ['undoing']],
  ] as const)('of %s by its ids and its phase', async (wish, phase) => {
    const found = event(wish)
    await dispatchAction(dispatch, found)
    const { description } = await runOf(found)
    expect(description.searchAttributes).toMatchObject({
      HoldpointInstallation: ['icfg_A'],
      HoldpointResource: ['db/1'],
      HoldpointDeployment: [found.key.deploymentId],
      HoldpointAction: ['branch'],
    })
    expect(description.searchAttributes['HoldpointPhase']).toEqual(phase)
    expect(await description.staticSummary()).toBe(`branch of db/1 for ${found.key.deploymentId}`)
    expect(await description.staticDetails()).toContain(`Deployment: \`${found.key.deploymentId}\``)
  })
})

describe('an id is taken whatever is in it', () => {
  test.each([
    ['unicode', 'größe 数据库 😀'],
    ['encoded', '..%2F%00%25'],
    ['SQL and markup', `'; drop table x; -- <b>"\`*_`],
    ['1000 characters', 'x'.repeat(1000)],
    ['1000 characters of three bytes', '数'.repeat(1000)],
  ])('%s', async (_, id) => {
    for (const wish of ['run', 'cleaned'] as const) {
      const hostile = event(wish, {
        installationId: `icfg ${wish} ${id}`.slice(0, 1000),
        resourceId: id,
        deploymentId: id,
        action: id,
      })
      expect(await dispatchAction(dispatch, hostile)).toBe('accepted')
      expect((await runOf(hostile)).input).toMatchObject({ key: hostile.key })
    }
  })
})

test('a Temporal that does not answer is no acceptance, and that is known in time', async () => {
  const proxy = await tcpProxy(environment.address)
  const connection = await NativeConnection.connect({ address: proxy.address })
  onTestFinished(() => connection.close())
  const workflows = new WorkflowClient({ connection, namespace: environment.namespace })
  const impatient = { ...dispatch, workflows, acceptWithinMs: 200 }
  expect(await dispatchAction({ ...impatient, acceptWithinMs: 5000 }, event('run'))).toBe(
    'accepted',
  )
  proxy.fallSilent()
  for (const wish of ['run', 'canceled', 'cleaned'] as const) {
    const asked = performance.now()
    await expect(dispatchAction(impatient, event(wish))).rejects.toThrow('within 200 ms')
    expect(performance.now() - asked).toBeLessThan(1000)
  }
})
