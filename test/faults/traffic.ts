import { setTimeout as sleep } from 'node:timers/promises'
import type { Kind, Lane } from './scenario.ts'

export interface Traffic {
  readonly actions: number
  readonly perSecond: number
  /** The share of deployments that are canceled, removed or both, at a random moment. */
  readonly withdrawn?: number
  /** Drawn from at random, `branch`, `shared` and `env` unless said. */
  readonly kinds?: readonly Kind[]
  /** No more than so many builds are held at a time; 100 unless said. */
  readonly held?: number
}

const LATEST_WITHDRAWAL_MS = 6_000

/** Has users deploy, and change their minds. Returns when the last of them has. */
export async function sendTraffic(lane: Lane, traffic: Traffic): Promise<void> {
  const {
    actions,
    perSecond,
    withdrawn = 0,
    kinds = ['branch', 'shared', 'env'],
    held = 100,
  } = traffic
  const { random } = lane
  const withdrawals: Promise<void>[] = []
  for (let sent = 0; sent < actions; sent += 1) {
    await sleep(random.between(0, 2_000 / perSecond))
    while (lane.held.size >= held) await sleep(50)
    const { id } = lane.deploy(random.pick(kinds) ?? 'branch')
    if (random.chance(withdrawn)) withdrawals.push(withdraw(lane, id))
  }
  await Promise.all(withdrawals)
}

async function withdraw(lane: Lane, id: string): Promise<void> {
  const { random, vercel } = lane
  const both = random.chance(0.3)
  const canceled = both || random.chance(0.5)
  const removed = both || !canceled
  // Most are changed at once, when the work has hardly begun.
  await sleep(random.next() ** 2 * LATEST_WITHDRAWAL_MS)
  const { readyState } = vercel.deployment(id)
  if (canceled && readyState !== 'ERROR') {
    vercel.cancel(id)
    lane.count('cancel')
  }
  if (both) await sleep(random.between(0, 1_000))
  if (removed) {
    vercel.remove(id)
    lane.count('removal')
  }
}
