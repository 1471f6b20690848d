import type { ActionKey } from '../../src/domain/action-key.ts'
import { type Fault, nameOf, type Script, type Step } from './script.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Longer than a heartbeat may be late, and than `running` is waited for. */
const SLOW_MS = 7000
const LATE_MS = 1000

export interface RemoteCall<Answer> {
  readonly key: ActionKey
  readonly step: Step
  readonly signal?: AbortSignal | undefined
  /** How long the way there takes, and the way back. */
  readonly latencyMs?: number
  /** Whether what is asked for is done all the same when the caller gives up before. Default false. */
  readonly goesOn?: boolean
  /** Called when the other side is done with it, whether the caller still waits or not. */
  arrived?(): void
  /** Done at the other side; what it throws is the answer too. */
  effect(): Answer
  /** What the caller meets at this fault: an answer, or an error that is thrown. */
  fail(fault: Fault): Answer
}

const WITHOUT_EFFECT: ReadonlySet<Fault | undefined> = new Set<Fault>([
  'unreachable',
  'cut off before its effect',
  'silent, without effect',
  'too busy',
  'broken before its effect',
  'unauthorized',
  'refused as 400',
  'refused as 404',
  'refused as 409',
  'refused as 410',
])

/**
 * Asks another process for something. The effect is there even when the caller died meanwhile; the answer comes only
 * to a caller that lives and waits.
 */
export function callRemotely<Answer>(
  { clock, script }: { clock: VirtualClock; script: Script },
  call: RemoteCall<Answer>,
): Promise<Answer> {
  const { key, step, signal, latencyMs = 10, goesOn = false } = call
  const fault = script.nextFault(key, step)
  const owner = clock.process
  return new Promise((resolve, reject) => {
    script.tell(`${nameOf(key)}: ${step}${fault ? ` (${fault})` : ''}`)
    script.reached(key, step, 'before')
    let arrived = false
    const arrival = clock.outside(
      latencyMs +
        (fault === 'slow to take effect' ? SLOW_MS : fault === 'a second late' ? LATE_MS : 0),
      () => {
        arrived = true
        let answer: () => void
        if (WITHOUT_EFFECT.has(fault)) {
          answer = answerOf(() => call.fail(fault!))
        } else {
          answer = answerOf(() => call.effect())
          script.reached(key, step, 'after')
          if (fault === 'cut off after its effect' || fault === 'broken after its effect')
            answer = answerOf(() => call.fail(fault))
        }
        call.arrived?.()
        if (fault?.startsWith('silent')) return
        clock.after(latencyMs + (fault === 'slow to answer' ? SLOW_MS : 0), answer, { owner })
      },
    )
    const answerOf = (make: () => Answer): (() => void) => {
      try {
        const value = make()
        return () => settle(() => resolve(value))
      } catch (error) {
        return () => settle(() => reject(error))
      }
    }
    const settle = (answer: () => void) => {
      signal?.removeEventListener('abort', giveUp)
      answer()
    }
    const giveUp = () => {
      if (goesOn && !fault?.startsWith('silent')) return
      if (!arrived) arrival.cancel()
      reject(signal?.reason as Error)
    }
    if (signal?.aborted) giveUp()
    else signal?.addEventListener('abort', giveUp, { once: true })
  })
}
