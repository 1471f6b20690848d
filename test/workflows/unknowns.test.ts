import { temporal } from '@temporalio/proto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ActionCall } from '../../src/actions/define-action.ts'
import type { ActionKey } from '../../src/domain/action-key.ts'
import { actionDigest, actionWorkflowId } from '../../src/domain/action-key.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import type { Dials, LateUpdateAnswer, RequestRecord } from '../../src/simulator/index.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { branchAction, branchProvider, gate, type ProviderStep } from './branch-provider.ts'
import { type HeldBuilds, holdBuilds } from './hold-builds.ts'
import { type LossyDoor, loseWebhookAnswers } from './lose-webhook-answers.ts'

// What Vercel's documents leave open, played both ways: the same stories under every behaviour.

interface Mode {
  readonly dials: Partial<Dials>
  /** Each webhook comes again, because its first answer is lost. */
  readonly losesWebhookAnswers?: boolean
}

const lateUpdatesGet = (status: LateUpdateAnswer): Partial<Dials> => ({
  updateAfterTerminal: status,
  updateAfterEnd: status,
  updateAfterRemoval: status,
})

const MODES: Record<string, Mode> = {
  'late updates get 202 and are ignored': { dials: lateUpdatesGet(202) },
  'late updates get 202 and replace what was': {
    dials: { ...lateUpdatesGet(202), laterTerminal: 'replaces', lateSuccessInjects: true },
  },
  'late updates get 400': { dials: lateUpdatesGet(400) },
  'late updates get 404': { dials: lateUpdatesGet(404) },
  'late updates get 409': { dials: lateUpdatesGet(409) },
  'late updates get 410': { dials: lateUpdatesGet(410) },
  'late updates get 409, but a repeat of the same 202': { dials: { repeatedUpdate: 'accepted' } },
  'deployments show no provisioning, and late updates get 404': {
    dials: { ...lateUpdatesGet(404), deploymentShape: 'public' },
  },
  'deployments show nine keys, and late updates get 410': {
    dials: { ...lateUpdatesGet(410), deploymentShape: 'anonymous' },
  },
  'deployments hold what is new, and deleted ones are gone (410)': {
    dials: {
      deploymentOverrides: { meta: { count: 1 }, gitSource: { ref: null }, source: 'new' },
      removedDeployment: 'gone',
      outcomesRequired: true,
      statusTextLimit: 256,
      outcomePrefix: 'SHOP_',
    },
  },
  'webhooks come twice under one id, and no cleanup follows a failure': {
    dials: { duplicateWebhooks: 'same-id', cleanupAfterFailure: false },
  },
  'webhooks come twice under two ids, with little in them': {
    dials: {
      duplicateWebhooks: 'new-id',
      configurationInPayload: false,
      teamInPayload: false,
      region: undefined,
    },
  },
  'webhooks are delivered again under one id, and nothing cancels an action that succeeded': {
    dials: { cancelAfterSuccess: false },
    losesWebhookAnswers: true,
  },
  'webhooks are delivered again under a new id, with unknown keys in them': {
    dials: {
      retryId: 'new',
      region: null,
      extraEnvelopeKeys: { webhookId: 'w', teamId: 't' },
      extraPayloadKeys: { plan: 'pro', links: {}, target: null },
      webhookHeaders: { 'x-vercel-id': 'iad1::x' },
    },
    losesWebhookAnswers: true,
  },
  'whatever ends an action sends a cancel, and late updates get 202': {
    dials: {
      ...lateUpdatesGet(202),
      cancelAfterSkip: true,
      cancelAfterTimeout: true,
      cancelAfterFailure: true,
      cancelFailedAction: true,
    },
  },
  'whatever ends an action sends a cancel, and late updates get 409': {
    dials: {
      cancelAfterSkip: true,
      cancelAfterTimeout: true,
      cancelAfterFailure: true,
      cancelFailedAction: true,
    },
  },
  'one cleanup waits until a deployment cannot be restored, which shows when it was deleted': {
    dials: {
      cleanupAt: 'purge',
      cleanupPer: 'deployment',
      removedDeployment: 'soft-deleted',
      restoredDeployment: 'deleted-at-kept',
    },
  },
}

let environment: TemporalEnvironment
beforeAll(async () => {
  environment = await devServerEnvironment()
})
afterAll(() => environment.teardown())

type Hook = (step: ProviderStep, call: ActionCall) => Promise<void>

/** One harness for many deployments at once: a test says what happens at the provider by deployment. */
async function playMode({ dials, losesWebhookAnswers = false }: Mode) {
  const provider = branchProvider()
  const hooks = new Map<string, Hook>()
  const created: string[] = []
  provider.before = async (step, { key }) => {
    if (step === 'create') created.push(actionDigest(key))
  }
  provider.after = (step, call) =>
    hooks.get(call.key.deploymentId)?.(step, call) ?? Promise.resolve()
  const builds = await holdBuilds(
    environment,
    { branch: branchAction(provider) },
    { local: { dials } },
  )
  const { vercel } = builds
  let lossy: LossyDoor | undefined
  if (losesWebhookAnswers) {
    lossy = await loseWebhookAnswers(vercel.webhookUrl ?? '')
    vercel.webhookUrl = lossy.url
  }
  const preview = { environments: ['preview'] }
  const optional = vercel.createProject({
    name: 'optional',
    resources: [{ resourceId: 'db/42 %', required: false, actions: { branch: preview } }],
  })
  const double = vercel.createProject({
    name: 'double',
    resources: ['db/42 %', 'second'].map((resourceId) => ({
      resourceId,
      actions: { branch: preview },
    })),
  })
  return {
    ...builds,
    provider,
    projects: { required: builds.project, optional, double },
    deploy(hook: Hook = () => Promise.resolve(), project = builds.project): string {
      const { id } = vercel.deploy(project, { environment: 'preview', gitBranch: 'x' })
      hooks.set(id, hook)
      return id
    },
    timesCreated: (key: ActionKey) =>
      created.filter((digest) => digest === actionDigest(key)).length,
    async close() {
      await builds.close()
      await lossy?.close()
    },
  }
}

type Played = Awaited<ReturnType<typeof playMode>>

/** Holds the creation after its effect; `reached` resolves when it is there. */
function holdCreation(of: (key: ActionKey) => boolean = () => true) {
  const reached = gate()
  const release = gate()
  const hook: Hook = async (step, { key, signal }) => {
    if (step !== 'create' || !of(key)) return
    reached.open()
    const aborted = new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('aborted'))),
    )
    await Promise.race([release.opened, aborted])
  }
  return { hook, reached: reached.opened, release: release.open }
}

const statusOf = ({ body }: RequestRecord) => (body as { status: string }).status

/** What was sent of the deployment's first action, in order, and what Vercel took of it. */
function reports(vercel: HeldBuilds['vercel'], id: string) {
  const sent = vercel.records.filter(
    (event): event is RequestRecord =>
      event.kind === 'request' &&
      event.method === 'PATCH' &&
      event.deploymentId === id &&
      event.path.includes('resources/db'),
  )
  return { sent, taken: sent.filter(({ status }) => status === 202) }
}

/** Exactly this end was taken, in one wording; nothing was sent that contradicts it or comes too late. */
function expectEnd(
  vercel: HeldBuilds['vercel'],
  id: string,
  end: 'succeeded' | 'failed' | undefined,
) {
  const { sent, taken } = reports(vercel, id)
  const ends = taken.filter((report) => statusOf(report) !== 'running')
  expect([...new Set(ends.map(statusOf))]).toEqual(end === undefined ? [] : [end])
  expect(new Set(ends.map(({ body }) => JSON.stringify(body))).size).toBe(ends.length && 1)
  const [first] = ends
  if (first === undefined) return
  const later = sent.slice(sent.indexOf(first))
  expect([...new Set(later.map(statusOf))]).toEqual([end])
}

/** The succeeded report is taken and the connection breaks before the answer. */
function loseAnswer({ vercel }: Played, deploymentId: string, status: string) {
  vercel.dials.failNext.push({
    match: { kind: 'patch', status, deploymentId },
    answer: 'cut-after',
  })
}

const PATIENCE = { timeout: 20_000, interval: 50 }

/** Waits until the latest run of the action has ended so; a webhook that came twice may open one more. */
async function expectPhase(
  played: Played,
  id: string,
  { phase, after }: { phase: string; after?: 'start' | 'cancel' | 'cleanup' },
) {
  await vi
    .waitFor(
      async () => expect(await played.ended({ id }, after && { after })).toMatchObject({ phase }),
      PATIENCE,
    )
    .catch(async (error: unknown) => {
      throw new Error(`${id} is not ${phase}: ${await historyOf(played.keyOf({ id }))}`, {
        cause: error,
      })
    })
}

/** What happened in the latest run of the action, and when: for whoever reads that it stands still. */
async function historyOf(key: ActionKey): Promise<string> {
  const handle = environment.client.workflow.getHandle(actionWorkflowId(key))
  const { events } = await handle.fetchHistory()
  return (events ?? [])
    .map(({ eventType, eventTime }) => {
      const at = Number(eventTime?.seconds ?? 0) % 1000
      return `${at}.${Math.floor((eventTime?.nanos ?? 0) / 1e6)} ${temporal.api.enums.v1.EventType[eventType ?? 0]}`
    })
    .join(', ')
}

/** Deletes the deployment for good and waits for what that starts. */
async function removeForGood(played: Played, id: string) {
  played.vercel.remove(id)
  if (played.vercel.dials.cleanupAt === 'purge') played.vercel.purge(id)
  await expectPhase(played, id, { phase: 'cleaned', after: 'cleanup' })
}

const SCENARIOS: Record<string, (played: Played) => Promise<void>> = {
  async 'leaves nothing when it is canceled while held'(played) {
    const { vercel, provider } = played
    const step = holdCreation()
    const id = played.deploy(step.hook)
    await step.reached
    vercel.cancel(id)
    await expectPhase(played, id, { phase: 'canceled', after: 'cancel' })
    expectEnd(vercel, id, undefined)
    expect(provider.has(played.keyOf({ id }))).toBe(false)
  },

  async 'leaves nothing when its action alone is canceled while held'(played) {
    const { vercel, provider } = played
    const step = holdCreation()
    const id = played.deploy(step.hook)
    await step.reached
    vercel.cancelAction(id)
    await expectPhase(played, id, { phase: 'canceled', after: 'cancel' })
    expectEnd(vercel, id, undefined)
    expect(provider.has(played.keyOf({ id }))).toBe(false)
  },

  async 'leaves nothing when it is canceled after success, or else when it is removed'(played) {
    const { vercel, provider } = played
    const id = played.deploy()
    const key = played.keyOf({ id })
    await vercel.until(id, ({ readyState }) => readyState === 'READY')
    await played.ended({ id })
    expect(provider.has(key)).toBe(true)
    if (vercel.dials.cancelAfterSuccess) {
      vercel.cancel(id)
      await expectPhase(played, id, { phase: 'canceled', after: 'cancel' })
    } else await removeForGood(played, id)
    expectEnd(vercel, id, 'succeeded')
    expect(provider.has(key)).toBe(false)
  },

  async 'leaves nothing when it is removed after success, but not before its cleanup'(played) {
    const { vercel, provider } = played
    const id = played.deploy()
    const key = played.keyOf({ id })
    await vercel.until(id, ({ readyState }) => readyState === 'READY')
    await played.ended({ id })
    if (vercel.dials.cleanupAt === 'purge') {
      vercel.remove(id)
      vercel.restore(id)
      const again = vercel.actionEvent('start', id)
      expect((await vercel.sendWebhook(again)).status).toBeLessThan(300)
      expect(await played.ended({ id })).toMatchObject({ phase: 'succeeded' })
      expect(provider.has(key)).toBe(true)
    }
    await removeForGood(played, id)
    expectEnd(vercel, id, 'succeeded')
    expect(provider.has(key)).toBe(false)
  },

  async 'is released, its work done once however often its start comes'(played) {
    const { vercel, provider } = played
    const step = holdCreation()
    const id = played.deploy(step.hook)
    const key = played.keyOf({ id })
    const redeliver = async () =>
      await vercel.sendWebhook({ ...vercel.actionEvent('start', id), createdAt: 1 })
    await step.reached
    await redeliver()
    step.release()
    const { env } = await vercel.until(id, ({ readyState }) => readyState === 'READY')
    expect(env[`${vercel.dials.outcomePrefix}DATABASE_URL`]).toMatch(/^postgres:/)
    expect(await played.ended({ id })).toMatchObject({ phase: 'succeeded' })
    await Promise.all([redeliver(), redeliver()])
    expect(await played.ended({ id })).toMatchObject({ type: 'deploymentAction' })
    expect(played.timesCreated(key)).toBe(1)
    expectEnd(vercel, id, 'succeeded')
    expect(provider.has(key)).toBe(true)
  },

  async 'keeps its branch when the answer to succeeded is lost'(played) {
    const { vercel, provider } = played
    const id = played.deploy()
    loseAnswer(played, id, 'succeeded')
    expect(await played.ended({ id })).toMatchObject({ phase: 'succeeded' })
    await vercel.until(id, ({ readyState }) => readyState === 'READY')
    expectEnd(vercel, id, 'succeeded')
    expect(reports(vercel, id).sent.filter((sent) => statusOf(sent) === 'succeeded').length).toBe(2)
    expect(provider.has(played.keyOf({ id }))).toBe(true)
  },

  async 'keeps its branch when the answer is lost while another action is at work'(played) {
    const { vercel, provider } = played
    const other = holdCreation(({ resourceId }) => resourceId === 'second')
    const id = played.deploy(other.hook, played.projects.double)
    loseAnswer(played, id, 'succeeded')
    await other.reached
    await vercel.untilEvent(
      (event) =>
        event.kind === 'request' && event.deploymentId === id && event.fault === 'cut-after',
    )
    // The retry is judged while the deployment still waits.
    await vercel.untilEvent(
      (event) =>
        event.kind === 'request' &&
        event.deploymentId === id &&
        event.method === 'PATCH' &&
        event.fault === undefined &&
        statusOf(event) === 'succeeded',
    )
    other.release()
    await vercel.until(id, ({ readyState }) => readyState === 'READY')
    expect(await played.ended({ id })).toMatchObject({ phase: 'succeeded' })
    expectEnd(vercel, id, 'succeeded')
    expect(provider.has(played.keyOf({ id }))).toBe(true)
  },

  async 'leaves nothing when it is canceled while the answer to succeeded is lost'(played) {
    const { vercel, provider } = played
    const other = holdCreation(({ resourceId }) => resourceId === 'second')
    const id = played.deploy(other.hook, played.projects.double)
    loseAnswer(played, id, 'succeeded')
    await other.reached
    await vercel.untilEvent(
      (event) =>
        event.kind === 'request' && event.deploymentId === id && event.fault === 'cut-after',
    )
    const key = played.keyOf({ id })
    const cleanup = !vercel.dials.cancelAfterSuccess
    if (cleanup) await removeForGood(played, id)
    else vercel.cancel(id)
    await played.ended({ id }, { after: cleanup ? 'cleanup' : 'cancel' })
    await vi.waitFor(() => expect(provider.has(key)).toBe(false), PATIENCE)
    expectEnd(vercel, id, 'succeeded')
  },

  async 'leaves nothing when its action failed, and says why once'(played) {
    const { vercel, provider } = played
    const id = played.deploy(failForGood)
    await vercel.until(id, ({ readyState }) => readyState === 'ERROR')
    const after = vercel.dials.cancelFailedAction ? 'cancel' : 'start'
    await played.ended({ id }, { after })
    expect(vercel.deployment(id).errorMessage).toContain(NO_BRANCH)
    expectEnd(vercel, id, 'failed')
    expect(provider.has(played.keyOf({ id }))).toBe(false)
  },

  async 'leaves nothing when the answer to failed is lost'(played) {
    const { vercel, provider } = played
    const id = played.deploy(failForGood)
    loseAnswer(played, id, 'failed')
    await played.ended({ id })
    expectEnd(vercel, id, 'failed')
    expect(provider.has(played.keyOf({ id }))).toBe(false)
  },

  async 'leaves nothing when its user skipped it, at the latest when it is removed'(played) {
    await expectLapsed(played, {
      lapse: (id) => played.vercel.skip(id),
      sendsCancel: played.vercel.dials.cancelAfterSkip,
    })
  },

  async 'leaves nothing when Vercel waited too long, at the latest when it is removed'(played) {
    const sendsCancel = played.vercel.dials.cancelAfterTimeout
    const lapse = (id: string) => played.vercel.timeOut(id)
    const { optional } = played.projects
    await Promise.all([
      expectLapsed(played, { lapse, sendsCancel }),
      expectLapsed(played, { lapse, sendsCancel }, optional),
    ])
  },
}

/** Vercel goes on without the action in the middle of its work. */
async function expectLapsed(
  played: Played,
  { lapse, sendsCancel }: { lapse: (id: string) => void; sendsCancel: boolean },
  project = played.projects.required,
) {
  const { vercel, provider } = played
  const step = holdCreation()
  const id = played.deploy(step.hook, project)
  const key = played.keyOf({ id })
  await step.reached
  lapse(id)
  step.release()
  await played.ended({ id }, { after: sendsCancel ? 'cancel' : 'start' })
  // Without a word on it, it looks as if the report was taken: then only a cleanup may destroy.
  const { updateAfterEnd, deploymentShape, cleanupAfterFailure } = vercel.dials
  const looksTaken = updateAfterEnd === 202 || deploymentShape !== 'full'
  if (looksTaken && !sendsCancel && cleanupAfterFailure) await removeForGood(played, id)
  await vi.waitFor(() => expect(provider.has(key)).toBe(false), PATIENCE)
  expect(reports(vercel, id).taken.map(statusOf)).not.toContain('failed')
}

const NO_BRANCH = 'No branch is left: delete one.'
const failForGood: Hook = (step) =>
  step === 'create'
    ? Promise.reject(new ActionFailure('quota', NO_BRANCH, { retryable: false }))
    : Promise.resolve()

describe.concurrent.each(Object.entries(MODES))('where %s', (_name, mode) => {
  let played: Played
  beforeAll(async () => {
    played = await playMode(mode)
  })
  afterAll(() => played.close())

  test.concurrent.each(Object.entries(SCENARIOS))('a deployment %s', (_scenario, play) =>
    play(played),
  )
})

describe('a token that stops working before Vercel says why', () => {
  test.each([401, 403] as const)('(%i) keeps nobody from undoing', async (invalidToken) => {
    const played = await playMode({ dials: { invalidToken } })
    onTestFinished(() => played.close())
    const { vercel, provider } = played
    const step = holdCreation()
    const id = played.deploy(step.hook)
    await step.reached
    vercel.installation.accessToken = 'revoked'
    step.release()
    await vercel.untilEvent(
      (event) =>
        event.kind === 'request' && event.status === invalidToken && event.method === 'PATCH',
    )
    vercel.cancel(id)
    expect(await played.ended({ id })).toMatchObject({ phase: 'canceled' })
    expectEnd(vercel, id, undefined)
    expect(provider.has(played.keyOf({ id }))).toBe(false)
  })
})
