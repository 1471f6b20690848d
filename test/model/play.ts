import { asyncLocalStorage as activityInHand } from '@temporalio/activity'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createActivities, HeadStarts, readOpening } from '../../activities/index.ts'
import { branchDatabase } from '../../src/actions/branch-database.ts'
import type { AnyAction } from '../../src/actions/define-action.ts'
import { setEnvironment } from '../../src/actions/set-environment.ts'
import { dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import type { ActionEvent } from '../../src/domain/action-event.ts'
import { type ActionKey, actionWorkflowId } from '../../src/domain/action-key.ts'
import { branchRef } from '../../src/domain/branch-ref.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import { Secret } from '../../src/domain/secret.ts'
import { silentLog } from '../../src/log.ts'
import type { VercelConnection } from '../../src/vercel/client.ts'
import { guarantees, type Played } from './guarantees.ts'
import { type ModelBranch, ModelProvider, SECRET_MARK } from './model-provider.ts'
import { ModelTemporal } from './model-temporal.ts'
import { ModelVercel, type Withdrawal } from './model-vercel.ts'
import { callRemotely } from './remote-call.ts'
import type { Happening, Moment, Scenario } from './scenario.ts'
import { nameOf, type Script } from './script.ts'
import { inVirtualTime, type Process, VirtualClock } from './virtual-clock.ts'
import type { WorkflowCode } from './workflow-code.ts'

const ACTIONS = ['branch', 'replica']
/** What a head start reads for. One for all sequences: node slows down with each. */
const keyAhead = new AsyncLocalStorage<ActionKey>()
/** Vercel delivers a webhook again after this long, then after twice as long, and so on. */
const REDELIVER_AFTER_MS = 4000
/** Long after every run is forgotten. */
const LATE_REMOVAL_MS = 20 * 86_400_000

const SWEEPER: ActionKey = {
  installationId: 'icfg_1',
  resourceId: 'db/1',
  deploymentId: 'sweep',
  action: 'expire',
}
const newSweepCall = () => ({
  holdpoint: 'model',
  signal: new AbortController().signal,
  confirm: () => Promise.resolve(),
  progress: () => {},
  deriveSecrets: (purpose: string) => [new Secret(`${SECRET_MARK}-${purpose}`)] as const,
  log: silentLog,
})

const nobodyReconciles = {
  latest: () => Promise.reject(new Error('nobody reconciles here')),
  end: () => Promise.reject(new Error('nobody checks here')),
  withdraw: () => Promise.reject(new Error('nobody reconciles here')),
  withdrawOpen: () => Promise.reject(new Error('nobody removes an installation here')),
  removeBareResource: () => Promise.reject(new Error('nobody removes a resource here')),
  resume: () => Promise.reject(new Error('nobody reconciles here')),
}

/** The names of all activities, which a worker tells the sandbox. */
export const activityNames = Object.keys(createActivities({} as never))

/**
 * Plays one sequence to its end, with real workflows and activities, and answers every guarantee that did not hold.
 * `tell` hears the whole story, line by line.
 */
export async function play(
  scenario: Scenario,
  code: WorkflowCode,
  tell?: (line: string) => void,
): Promise<string[]> {
  const clock = new VirtualClock()
  const { sharing, steps } = scenario
  // Only a driver that excludes can share.
  const excludes = scenario.excludes || sharing !== null
  const nameTaken = scenario.nameTaken && sharing === null
  const keys = scenario.deployments.flatMap((count, deployment) =>
    ACTIONS.slice(0, count).map((action): ActionKey => ({
      installationId: 'icfg_1',
      resourceId: 'db/1',
      deploymentId: `dpl_${deployment + 1}`,
      action,
    })),
  )
  const keyOf = (index: number) => keys[index % keys.length]!
  const is = (one: ActionKey, index: number) =>
    one === keyOf(index) || nameOf(one) === nameOf(keyOf(index))

  // Which of the scenario's faults and happenings are still to come.
  const faults = scenario.faults.map((fault) => ({ ...fault, calls: 0 }))
  const awaited = scenario.happenings.map((happening) => ({ ...happening, seen: 0 }))
  const script: Script = {
    tell: (line) =>
      tell?.(`${((clock.now - clock.begin) / 1000).toFixed(3).padStart(10)} s  ${line}`),
    reached(key, step, when) {
      for (const happening of awaited) {
        const { moment, action, what } = happening
        if (!('on' in moment) || moment.on !== step || moment.when !== when || !is(key, action))
          continue
        if (happening.seen++ === moment.time)
          clock.outside(moment.delayMs, () => happen(what, keyOf(action)))
      }
    },
    nextFault(key, step) {
      for (const fault of faults) {
        if (fault.step !== step || !is(key, fault.action)) continue
        const call = fault.calls++
        if (call >= fault.after && call < fault.after + fault.times) return fault.fault
      }
      return undefined
    },
  }

  const world = { clock, script }
  const provider = new ModelProvider(world, {
    goesOn: scenario.stepsGoOn,
    excludes,
    keepForMs: sharing?.keepForMs ?? 0,
  })
  const accepted: Played['accepted'] = []
  const refused: string[] = []
  const operatorCanceled = new Set<string>()
  const deliveries = scenario.deliveries.slice()
  const vercel = new ModelVercel(world, scenario.dials, (event, key) => {
    const at = deliveries.findIndex(
      (delivery) => delivery.event === event && is(key, delivery.action),
    )
    const [delivery] = at < 0 ? [] : deliveries.splice(at, 1)
    const { delayMs = 0, againAfterMs = null } = delivery ?? {}
    clock.outside(5 + delayMs, () => deliver(event, key))
    if (againAfterMs !== null) clock.outside(5 + delayMs + againAfterMs, () => deliver(event, key))
  })
  provider.serves = (key) => vercel.serves(key) && !operatorCanceled.has(nameOf(key))

  const branching = branchDatabase({
    name: 'Branch',
    driver: provider,
    ...(sharing && {
      scope: 'git-branch',
      onPush: sharing.onPush,
      keepFor: `${sharing.keepForMs} ms`,
    }),
    ...(steps.includes('migrate') && {
      migrate: (branch, call) => provider.step('migrate', branch, call),
    }),
    ...(steps.includes('ready') && {
      async ready(branch, call) {
        await provider.step('ready', branch, call)
        return undefined
      },
    }),
  })
  const definition: AnyAction = scenario.provisions
    ? branching
    : setEnvironment({ name: 'Variables', variables: { KEY: SECRET_MARK } })
  /** What reconciliation does with objects that have no owner. */
  const sweep = async (): Promise<void> => {
    for (const action of ACTIONS) {
      const call = { ...newSweepCall(), action }
      for (const { name, owner, expiresAtMs = Infinity } of await branching.list!(call)) {
        if (!owner && expiresAtMs <= clock.now) await branching.expire!({ ...call, name })
      }
    }
  }
  const actions = new Map(
    ACTIONS.map((slug) => [slug, { slug, definition, deadlineMs: scenario.deadlineMs }]),
  )
  /** Activities that have sent an update. */
  const hasReported = new WeakSet<object>()
  const connection: VercelConnection = {
    baseUrl: 'https://vercel.test',
    accessToken: () => Promise.resolve(`${SECRET_MARK}-token`),
    timeoutMs: 10_000,
    send(url, request) {
      const inHand = activityInHand.getStore()
      if (inHand && request.method === 'PATCH') hasReported.add(inHand)
      return vercel.send(url, request)
    },
  }
  // A process knows only what it began itself.
  const headStartsOf = new Map<Process | undefined, HeadStarts>()
  const headStarts = (): HeadStarts => {
    const { process } = clock
    const known =
      headStartsOf.get(process) ??
      new HeadStarts((request) =>
        keyAhead.run(request.key, () =>
          readOpening({ products: new Map(), actions, vercel: connection }, request),
        ),
      )
    headStartsOf.set(process, known)
    return known
  }
  const activities = createActivities({
    actions,
    checks: new Map(),
    products: new Map(),
    vercel: connection,
    headStarts: {
      opened: (id) => headStarts().opened(id),
      takeFirstReport: (id) => headStarts().takeFirstReport(id),
      returnFirstReport: (id) => headStarts().returnFirstReport(id),
      drop: (id) => headStarts().drop(id),
    },
    holdpoint: 'model',
    deriveSecrets: (purpose) => [new Secret(`${SECRET_MARK}-${purpose}`)],
    log: silentLog,
    confirmAttempt: (token) => temporal.confirmAttempt(token),
    runs: nobodyReconciles,
    cancelRun: (run) => {
      const { key } = temporal.runs.find(({ runId }) => runId === run.runId)!
      return callRemotely(world, {
        key,
        step: 'request cancellation',
        effect: () => temporal.cancelRun(run),
        fail: () => {
          throw new ActionFailure('temporal_unreachable', 'Unreachable.', { retryable: true })
        },
      })
    },
  })
  const temporal = new ModelTemporal(world, {
    code,
    activities,
    alwaysReplays: scenario.alwaysReplays,
    onLostProcess: (process) => provider.lose(process),
  })
  const keyInHand = () => {
    const runInHand = activityInHand.getStore()?.info.workflowExecution?.runId
    return temporal.runs.find(({ runId }) => runId === runInHand)?.key
  }
  provider.asker = () => keyInHand() ?? SWEEPER
  vercel.asker = () => {
    const ahead = keyAhead.getStore()
    if (ahead) return { key: ahead, step: 'fetch deployment' }
    const inHand = activityInHand.getStore()
    const opens = inHand?.info.activityType === 'openAction' && !hasReported.has(inHand)
    const step = opens ? 'fetch deployment' : 'judge refusal'
    return { key: keyInHand()!, step }
  }

  const happen = (what: Happening, key: ActionKey): void => {
    if (!excludes && /the worker (dies|stands)|cuts/.test(what)) return
    if (!vercel.deployments.has(key.deploymentId)) return
    switch (what) {
      case 'a user cancels the deployment':
        return vercel.cancelDeployment(key)
      case 'a user cancels the action':
        return vercel.cancelAction(key)
      case 'a user skips the actions':
        return vercel.skip(key)
      case 'Vercel waits no longer':
        return vercel.timeOut(key)
      case 'the deployment fails':
        return vercel.failDeployment(key)
      case 'the deployment is removed':
        return vercel.remove(key)
      case 'an operator cancels the run': {
        const run = temporal.latestRun(actionWorkflowId(key))
        if (run?.status !== 'open') return
        script.tell(`an operator cancels ${run.runId}`)
        operatorCanceled.add(nameOf(key))
        return temporal.cancelRun(run)
      }
      case 'the worker dies':
        return temporal.crash()
      case 'the worker stands still for 4 seconds':
        return temporal.standStill(4000)
      case 'the worker stands still for 9 seconds':
        return temporal.standStill(9000)
      case 'the worker stands still for 3 minutes':
        return temporal.standStill(180_000)
      case 'the worker forgets its runs':
        return temporal.evict()
      case 'the provider cuts all connections':
        return provider.cutConnections()
      case 'a sweep expires what nobody claims':
        void sweep()
    }
  }

  /** Delivers a webhook until it is accepted, as Vercel does. */
  const deliver = async (event: 'start' | Withdrawal, key: ActionKey, tries = 1): Promise<void> => {
    const wish = { start: 'run', cancel: 'canceled', cleanup: 'cleaned' } as const
    const actionEvent: ActionEvent = {
      key,
      wish: wish[event],
      deliveryId: 'uev_1',
      occurredAt: clock.now,
    }
    script.tell(`Vercel: delivers ${event} of ${nameOf(key)}`)
    try {
      const answer = await callRemotely(world, {
        key,
        step: 'accept',
        latencyMs: 3,
        effect: () => {
          const { worker } = temporal
          const dispatched = dispatchEvent(
            {
              workflows: temporal.client,
              taskQueue: 'model',
              deadlineMs: () => scenario.deadlineMs,
              reportRunningAfterMs: scenario.reportRunningAfterMs,
              ...(worker &&
                !scenario.rolesApart && {
                  headStarts: {
                    begin: (request) => clock.within(worker, () => headStarts().begin(request)),
                    drop: (id) => clock.within(worker, () => headStarts().drop(id)),
                  },
                }),
              registersChecks: false,
              acceptWithinMs: 5000,
            },
            { kind: 'action', action: actionEvent },
          )
          dispatched.catch((error: unknown) => {
            refused.push(`${event} of ${nameOf(key)} is not accepted: ${String(error)}`)
          })
          return dispatched
        },
        signal: AbortSignal.timeout(8000),
        fail: () => {
          throw new Error('unavailable')
        },
      })
      accepted.push({ event, key, answer, at: clock.now })
    } catch {
      if (refused.length > 0) return
      clock.outside(REDELIVER_AFTER_MS * 2 ** Math.min(tries, 10), () =>
        deliver(event, key, tries + 1),
      )
    }
  }

  const schedule = ({
    what,
    action,
    moment,
  }: {
    what: Happening
    action: number
    moment: Moment
  }) => {
    if ('atMs' in moment) clock.outside(moment.atMs, () => happen(what, keyOf(action)))
  }

  return await inVirtualTime(clock, async () => {
    const stranger: ActionKey = { ...keyOf(0), installationId: 'icfg_2' }
    const branchOfStranger: ModelBranch = {
      owner: stranger,
      createdAt: new Date(clock.now),
      complete: true,
      claims: new Map(),
      unclaimedSince: undefined,
      migrated: new Set(),
      madeFor: undefined,
    }
    const taken = branchRef(keyOf(0)).name
    if (nameTaken) provider.branches.set(taken, branchOfStranger)
    scenario.deployments.forEach((_, index) => {
      const id = `dpl_${index + 1}`
      const { gitBranches, apartMs } = scenario
      clock.outside(index * apartMs, () =>
        vercel.deploy(
          id,
          keys.filter((key) => key.deploymentId === id),
          gitBranches[index % gitBranches.length] ?? null,
        ),
      )
    })
    scenario.happenings.forEach(schedule)

    const played: Played = {
      scenario,
      keys,
      accepted,
      operatorCanceled,
      vercel,
      provider,
      temporal,
    }
    if (!(await clock.untilQuiet())) return ['it never comes to an end']
    const broken = guarantees(played)

    // Everything is removed in the end, when nobody remembers it.
    clock.now += LATE_REMOVAL_MS
    clock.outside(0, () => keys.forEach((key) => vercel.remove(key)))
    if (!(await clock.untilQuiet())) return [...broken, 'the removal never comes to an end']
    if (nameTaken && provider.branches.get(taken) !== branchOfStranger)
      broken.push('a branch of another owner was touched')
    const left = keys.filter((key) => provider.has(key))
    broken.push(...left.map((key) => `${nameOf(key)} is removed, and its branch is left`))
    if (sharing?.keepForMs === 0 && provider.branches.size > 0)
      broken.push('everything is removed, nothing is kept, and a shared branch is left')

    // What is kept for a while goes with the next sweep.
    clock.now += sharing?.keepForMs ?? 0
    clock.outside(0, sweep)
    if (!(await clock.untilQuiet())) return [...broken, 'the sweep never comes to an end']
    if (sharing && provider.branches.size > 0)
      broken.push('everything is removed and swept, and a shared branch is left')
    return [
      ...new Set([
        ...broken,
        ...refused,
        ...vercel.violations,
        ...provider.violations,
        ...temporal.violations,
      ]),
    ]
  })
}
