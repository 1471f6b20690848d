import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FakeVercel } from '../vercel/fake-vercel.ts'
import type { WebhookSender } from './webhook-sender.ts'

/** What is to be measured: one system, and the Vercel that it reports to. */
export interface Target {
  readonly vercel: FakeVercel
  readonly sender: WebhookSender
  /** The slug to ask for. */
  readonly action: string
  /** Unset: one of many, each in its turn, so that none meets Vercel's limit of updates. */
  readonly installationId?: string
  readonly resourceId?: string
  readonly options?: Record<string, unknown>
  /** Deliver again what gets no 2xx, as Vercel does; unset, that is an error of the measurement. */
  readonly redeliver?: boolean
}

/** One action as its provider's customer waits for it, in milliseconds since the POST of its webhook began. */
export interface Measured {
  readonly deploymentId: string
  /** Until the 2xx. */
  readonly ackMs: number
  /** Until Vercel accepted the terminal status: how long the build was held. */
  readonly overheadMs: number
  /** When that was, as `performance.now()`. */
  readonly endedAt: number
}

export interface StartedAction {
  readonly deploymentId: string
  readonly resourceId: string
  readonly installationId: string
  readonly action: string
  /** Milliseconds until the 2xx. Rejects when there is none. */
  readonly acked: Promise<number>
  /** The terminal status that Vercel accepted first, and milliseconds until then. Never settles when there is none. */
  readonly ended: Promise<{ readonly status: string; readonly afterMs: number }>
  /** Rejects when there is no 2xx, or another end than `succeeded`. Never settles when Vercel is told no end. */
  readonly measured: Promise<Measured>
}

const DELIVERIES = 60
const REDELIVER_AFTER_MS = 1000

const INSTALLATIONS = 1000
let turn = 0

/** Sends the start of one action of a new deployment. */
export function startAction(target: Target): StartedAction {
  const { vercel, sender, action, options } = target
  const { installationId = `icfg_bench${turn++ % INSTALLATIONS}`, resourceId = 'store' } = target
  const deploymentId = `dpl_${randomUUID().replaceAll('-', '')}`
  const terminal = vercel.ended(deploymentId)
  const body = JSON.stringify({
    id: `uev_${randomUUID()}`,
    type: 'deployment.integration.action.start',
    createdAt: Date.now(),
    region: 'iad1',
    payload: {
      configuration: { id: installationId },
      installationId,
      resourceId,
      action,
      deployment: { id: deploymentId },
      team: { id: 'team_bench' },
      user: { id: null },
      ...(options && { options }),
    },
  })
  const signature = sender.sign(body)
  const begin = performance.now()
  const deliver = () => sender.post(body, signature)
  const acked = (target.redeliver ? untilTaken(deliver) : deliver()).then(
    () => performance.now() - begin,
  )
  const ended = terminal.then(({ status, at }) => ({ status, afterMs: at - begin }))
  const measured = Promise.all([acked, ended]).then(([ackMs, { status, afterMs }]) => {
    if (status === 'succeeded') {
      return { deploymentId, ackMs, overheadMs: afterMs, endedAt: begin + afterMs }
    }
    throw new Error(
      `The action of ${deploymentId} ended as ${status}, so its time says nothing: look at the log of the system.`,
    )
  })
  // Whoever waits for one of them hears of it.
  for (const each of [acked, measured]) each.catch(() => {})
  return { deploymentId, installationId, resourceId, action, acked, ended, measured }
}

async function untilTaken(deliver: () => Promise<void>): Promise<void> {
  for (let attempt = 1; attempt < DELIVERIES; attempt += 1) {
    try {
      return await deliver()
    } catch {
      await sleep(REDELIVER_AFTER_MS)
    }
  }
  await deliver()
}
