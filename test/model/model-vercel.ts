import type { ActionKey } from '../../src/domain/action-key.ts'
import type { Send } from '../../src/vercel/client.ts'
import { callRemotely } from './remote-call.ts'
import { type Fault, nameOf, type Script, type Step } from './script.ts'
import type { VirtualClock } from './virtual-clock.ts'

export type Refusal = 400 | 404 | 409 | 410

/** What Vercel's documents leave open. */
export interface VercelDials {
  /** The answer to an update of an action that has its terminal status. */
  readonly afterTerminal: 202 | Refusal
  /** The answer once the deployment is canceled, skipped or timed out, or the action canceled. */
  readonly afterEnd: 202 | Refusal
  /** The answer once the deployment is removed. */
  readonly afterRemoval: 404 | 409 | 410
  /** How much of a deployment is shown. */
  readonly shows: 'full' | 'public' | 'anonymous'
  /** How a removed deployment reads. */
  readonly removedReads: 'soft-deleted' | 404 | 410
  /** Whether a deployment goes on when one of its actions failed. */
  readonly goesOnAfterFailure: boolean
  /** Whether one that Vercel did not want to wait for any longer is built all the same. */
  readonly goesOnAfterTimeout: boolean
  /** Whether actions are canceled when their deployment was skipped, timed out or failed. */
  readonly cancelsActionsOfEnded: boolean
}

export type Withdrawal = 'cancel' | 'cleanup'

type End = 'passed' | 'canceled' | 'skipped' | 'timed out' | 'failed'

export interface ModelAction {
  readonly key: ActionKey
  /** The terminal status that Vercel took. */
  status: 'succeeded' | 'failed' | undefined
  /** Canceled by a user, alone or with its deployment. */
  canceled: boolean
  /** Every terminal status that reached Vercel, with Vercel's answer. */
  readonly reports: Report[]
  /** How often a terminal status was sent, whether it came or not. */
  terminalsSent: number
  /** Whether its deployment or a user had ended it before it had a terminal status. */
  endedBefore: boolean
}

interface Report {
  readonly status: 'succeeded' | 'failed'
  readonly body: string
  readonly answer: number
  /** Whether the deployment, when asked, said that it is over. */
  readonly toldOver: boolean
}

interface ModelDeployment {
  readonly id: string
  readonly actions: Map<string, ModelAction>
  end: End | undefined
  readonly gitBranch: string | null
  removed: boolean
  builtAt: number | undefined
  /** Since when it has been read as unknown although it is there. */
  deniedSince: number | undefined
}

interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly retryAfter?: string
}

const BUILD_MS = 30_000
/** One server of Vercel's may not know what another one has, for a moment: no longer than this. */
const DENIES_FOR_MS = 10_000

/** Vercel as far as actions go, kept in memory, with its own record of what it took. */
export class ModelVercel {
  readonly deployments = new Map<string, ModelDeployment>()
  readonly violations: string[] = []
  readonly #dials: VercelDials
  readonly #clock: VirtualClock
  readonly #script: Script
  readonly #send: (event: 'start' | Withdrawal, key: ActionKey) => void

  constructor(
    world: { clock: VirtualClock; script: Script },
    dials: VercelDials,
    send: (event: 'start' | Withdrawal, key: ActionKey) => void,
  ) {
    this.#clock = world.clock
    this.#script = world.script
    this.#dials = dials
    this.#send = send
  }

  deploy(id: string, keys: readonly ActionKey[], gitBranch: string | null): void {
    const actions = new Map(
      keys.map((key): [string, ModelAction] => [
        key.action,
        {
          key,
          status: undefined,
          canceled: false,
          reports: [],
          terminalsSent: 0,
          endedBefore: false,
        },
      ]),
    )
    this.deployments.set(id, {
      id,
      actions,
      gitBranch,
      end: undefined,
      removed: false,
      builtAt: undefined,
      deniedSince: undefined,
    })
    for (const key of keys) this.#send('start', key)
  }

  action(key: ActionKey): ModelAction {
    const action = this.deployments.get(key.deploymentId)?.actions.get(key.action)
    if (!action) throw new Error(`no action ${nameOf(key)}`)
    return action
  }

  deployment(key: ActionKey): ModelDeployment {
    const deployment = this.deployments.get(key.deploymentId)
    if (!deployment) throw new Error(`no deployment ${key.deploymentId}`)
    return deployment
  }

  /** Whether a build has, or will have, what this action handed over. */
  serves(key: ActionKey): boolean {
    if (!this.deployments.has(key.deploymentId)) return false
    const { end, removed } = this.deployment(key)
    const { status, canceled } = this.action(key)
    return (
      status === 'succeeded' && !canceled && !removed && (end === undefined || end === 'passed')
    )
  }

  cancelDeployment(key: ActionKey): void {
    const deployment = this.deployment(key)
    if (deployment.removed || !(deployment.end === undefined || this.#building(deployment))) return
    this.#tell(`${deployment.id} is canceled`)
    this.#end(deployment, 'canceled')
    for (const action of deployment.actions.values()) this.#cancel(action)
  }

  cancelAction(key: ActionKey): void {
    const deployment = this.deployment(key)
    if (deployment.end !== undefined || deployment.removed) return
    this.#tell(`${nameOf(key)} is canceled`)
    this.#cancel(this.action(key))
    this.#settle(deployment)
  }

  skip(key: ActionKey): void {
    this.#lapse(key, 'skipped')
  }

  timeOut(key: ActionKey): void {
    this.#lapse(key, 'timed out')
  }

  /** Something of the deployment fails that is not ours. */
  failDeployment(key: ActionKey): void {
    this.#lapse(key, 'failed')
  }

  remove(key: ActionKey): void {
    const deployment = this.deployment(key)
    if (deployment.removed) return
    this.#tell(`${deployment.id} is removed`)
    deployment.removed = true
    for (const action of deployment.actions.values()) {
      action.endedBefore ||= action.status === undefined
      this.#send('cleanup', action.key)
    }
  }

  /** Stands in for HTTP. */
  readonly send: Send = (url, { method, body, signal }) => {
    const parts = url.pathname.split('/').slice(1).map(decodeURIComponent)
    if (method === 'GET') {
      const key = this.#asker?.()
      if (!key) throw new Error(`nobody asks for ${url.pathname}`)
      return this.#answer(key.key, key.step, signal, () => this.#read(parts[2] ?? ''))
    }
    const [, , deploymentId = '', , installationId = '', , resourceId = '', , action = ''] = parts
    const key = { deploymentId, installationId, resourceId, action }
    if (body === undefined) throw new Error('an update has a body')
    const { status } = JSON.parse(body) as { status: 'running' | 'succeeded' | 'failed' }
    if (status !== 'running') this.action(key).terminalsSent++
    const sender = this.#clock.process
    return this.#answer(key, `report ${status}`, signal, () => {
      // What a process sent before it stood still or died comes when it comes.
      const works = sender && !sender.died && sender.standsStillUntil <= this.#clock.now
      if (status === 'running' && works && this.action(key).terminalsSent > 0)
        this.#violated(`running of ${nameOf(key)} came after its outcome was sent`)
      return this.#update(key, status, body)
    })
  }

  #asker: (() => { key: ActionKey; step: Step } | undefined) | undefined

  /** Sets who tells for which action, and at which step, a deployment is read. */
  set asker(asker: () => { key: ActionKey; step: Step } | undefined) {
    this.#asker = asker
  }

  async #answer(
    key: ActionKey,
    step: Step,
    signal: AbortSignal | undefined,
    effect: () => Answer,
  ): Promise<Awaited<ReturnType<Send>>> {
    const { status, body, retryAfter } = await callRemotely<Answer>(
      { clock: this.#clock, script: this.#script },
      {
        key,
        step,
        signal,
        effect: () => {
          const answer = effect()
          this.#tell(`answers ${answer.status} to ${step} of ${nameOf(key)}`)
          return answer
        },
        fail: (fault) => this.#fail(key, step, fault),
      },
    )
    return {
      status,
      ...(retryAfter && { retryAfter }),
      text: body === undefined ? '' : JSON.stringify(body),
    }
  }

  #fail(key: ActionKey, step: Step, fault: Fault): Answer {
    const refused = (status: number): Answer => {
      if (step === 'judge refusal' && (status === 404 || status === 410)) {
        const deployment = this.deployment(key)
        deployment.deniedSince ??= this.#clock.now
        if (this.#clock.now - deployment.deniedSince > DENIES_FOR_MS)
          return this.#read(deployment.id)
      }
      if (step === 'report succeeded' || step === 'report failed') {
        const kind = step === 'report failed' ? 'failed' : 'succeeded'
        const toldOver = this.#tellsOver(this.deployment(key), this.action(key))
        this.action(key).reports.push({ status: kind, body: '', answer: status, toldOver })
      }
      return { status, body: { error: { code: 'refused', message: 'Refused.' } } }
    }
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others are broken connections
    switch (fault) {
      case 'too busy':
        return { status: 429, retryAfter: '3' }
      case 'broken before its effect':
        return { status: 500 }
      case 'broken after its effect':
        return { status: 502 }
      case 'unauthorized':
        return refused(401)
      case 'refused as 400':
        return refused(400)
      case 'refused as 404':
        return refused(404)
      case 'refused as 409':
        return refused(409)
      case 'refused as 410':
        return refused(410)
      default: {
        const code = fault === 'unreachable' ? 'ECONNREFUSED' : 'ECONNRESET'
        throw Object.assign(new Error(code), { code })
      }
    }
  }

  #update(key: ActionKey, status: 'running' | 'succeeded' | 'failed', body: string): Answer {
    const deployment = this.deployment(key)
    const action = this.action(key)
    const terminal = status === 'running' ? undefined : status
    const answer = this.#answerTo(deployment, action)
    if (terminal) {
      action.reports.push({
        status: terminal,
        body,
        answer: answer ?? 202,
        toldOver: this.#tellsOver(deployment, action),
      })
      if (action.status !== undefined && action.status !== terminal)
        this.#violated(`${nameOf(key)} was told ${terminal} after it had taken ${action.status}`)
      const first = action.reports.find((report) => report.status === terminal && report.body)
      if (first && first.body !== body)
        this.#violated(`${nameOf(key)} was told ${terminal} twice with different bodies`)
    }
    if (answer !== undefined) return { status: answer, ...(answer !== 202 && { body: REFUSED }) }
    if (terminal) {
      action.status = terminal
      this.#settle(deployment)
    }
    return { status: 202 }
  }

  /** The answer to an update that changes nothing; undefined where it does. */
  #answerTo(deployment: ModelDeployment, action: ModelAction): number | undefined {
    if (deployment.removed) return this.#dials.afterRemoval
    if (action.canceled) return this.#dials.afterEnd
    if (action.status !== undefined) return this.#dials.afterTerminal
    return deployment.end === undefined ? undefined : this.#dials.afterEnd
  }

  #read(id: string): Answer {
    const deployment = this.deployments.get(id)
    if (!deployment) return { status: 404 }
    deployment.deniedSince = undefined
    const { shows, removedReads, goesOnAfterTimeout } = this.#dials
    if (deployment.removed && removedReads !== 'soft-deleted') return { status: removedReads }
    const lapsed = deployment.end === 'timed out' || deployment.end === 'skipped'
    const built =
      deployment.builtAt !== undefined && this.#clock.now >= deployment.builtAt + BUILD_MS
    const readyState =
      deployment.end === undefined
        ? 'QUEUED'
        : deployment.end === 'canceled'
          ? 'CANCELED'
          : deployment.end === 'failed' || (lapsed && !goesOnAfterTimeout)
            ? 'ERROR'
            : built
              ? 'READY'
              : 'BUILDING'
    const status = {
      none: 'pending',
      passed: 'ready',
      canceled: 'pending',
      skipped: 'skipped',
      'timed out': 'timeout',
      failed: 'error',
    }[deployment.end ?? 'none']
    return {
      status: 200,
      body: {
        id,
        readyState,
        ...(shows !== 'anonymous' && {
          name: 'shop',
          ...(deployment.removed && { deletedAt: this.#clock.now }),
        }),
        ...(shows === 'full' && {
          integrations: { status },
          projectId: 'prj_1',
          meta: deployment.gitBranch === null ? {} : { githubCommitRef: deployment.gitBranch },
        }),
      },
    }
  }

  /**
   * Whether what is shown of the deployment tells that it is gone, or went on or stopped without us. It may have done so
   * with us, by another action's doing, when an earlier report of ours may have come first.
   */
  #tellsOver({ removed, end }: ModelDeployment, { terminalsSent }: ModelAction): boolean {
    const { shows, removedReads } = this.#dials
    if (removed) return removedReads !== 'soft-deleted' || shows !== 'anonymous'
    if (end === 'canceled') return true
    return terminalsSent === 1 && shows === 'full' && (end === 'skipped' || end === 'timed out')
  }

  #building({ end, builtAt }: ModelDeployment): boolean {
    return end === 'passed' && builtAt !== undefined && this.#clock.now < builtAt + BUILD_MS
  }

  #lapse(key: ActionKey, end: End): void {
    const deployment = this.deployment(key)
    if (deployment.end !== undefined || deployment.removed) return
    this.#tell(`${deployment.id} is ${end}`)
    this.#end(deployment, end)
    if (!this.#dials.cancelsActionsOfEnded) return
    for (const action of deployment.actions.values()) this.#cancel(action)
  }

  #cancel(action: ModelAction): void {
    action.endedBefore ||= action.status === undefined
    action.canceled = true
    this.#send('cancel', action.key)
  }

  #end(deployment: ModelDeployment, end: End): void {
    deployment.end = end
    deployment.builtAt ??= this.#clock.now
    for (const action of deployment.actions.values())
      action.endedBefore ||= action.status === undefined
  }

  /** A deployment goes on when none of its actions is waited for. */
  #settle(deployment: ModelDeployment): void {
    if (deployment.end !== undefined) return
    const actions = [...deployment.actions.values()].filter((action) => !action.canceled)
    if (actions.some(({ status }) => status === 'failed') && !this.#dials.goesOnAfterFailure) {
      this.#tell(`${deployment.id} fails`)
      this.#end(deployment, 'failed')
    } else if (actions.every(({ status }) => status !== undefined)) {
      this.#tell(`${deployment.id} goes on`)
      this.#end(deployment, 'passed')
    }
  }

  #tell(line: string): void {
    this.#script.tell(`Vercel: ${line}`)
  }

  #violated(line: string): void {
    this.#tell(`VIOLATED: ${line}`)
    this.violations.push(line)
  }
}

const REFUSED = { error: { code: 'conflict', message: 'The action does not wait.' } }
