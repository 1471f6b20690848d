import type { DeploymentSnapshot } from './deployment.ts'
import type { ResourceSnapshot } from './resource.ts'
import type { Timeline, TimelineEvent } from './timeline.ts'

const DEFAULT_TIMEOUT_MS = 10_000

export interface WaitOptions {
  /** 10 seconds unless said. */
  readonly timeoutMs?: number
  /** What is waited for, in words, for the error; the predicate's source unless said. */
  readonly description?: string
}

export interface Watched {
  readonly timeline: Timeline
  readonly closing: AbortSignal
}

/** Resolves with a deployment once the predicate holds. Rejects after the timeout, on close, and with what it throws. */
export async function waitForDeployment(
  watched: Watched,
  subject: {
    readonly id: string
    readonly read: () => DeploymentSnapshot
    readonly predicate: (deployment: DeploymentSnapshot) => boolean
  },
  { timeoutMs = DEFAULT_TIMEOUT_MS, description }: WaitOptions = {},
): Promise<DeploymentSnapshot> {
  const { id, read, predicate } = subject
  return await waitUntil(watched, {
    check() {
      const deployment = read()
      return predicate(deployment) ? deployment : undefined
    },
    concerns: (event) => 'deploymentId' in event && event.deploymentId === id,
    description: `${description ?? predicate.toString()} of ${id}`,
    lastState: () => JSON.stringify(read(), maskEnv),
    timeoutMs,
  })
}

/** The same for a resource. */
export async function waitForResource(
  watched: Watched,
  subject: {
    readonly id: string
    readonly read: () => ResourceSnapshot
    readonly predicate: (resource: ResourceSnapshot) => boolean
  },
  { timeoutMs = DEFAULT_TIMEOUT_MS, description }: WaitOptions = {},
): Promise<ResourceSnapshot> {
  const { id, read, predicate } = subject
  return await waitUntil(watched, {
    check() {
      const resource = read()
      return predicate(resource) ? resource : undefined
    },
    concerns: (event) => event.kind === 'resource' && event.resourceId === id,
    description: `${description ?? predicate.toString()} of ${id}`,
    lastState: () => JSON.stringify(read(), maskEnv),
    timeoutMs,
  })
}

/** Makes a function that resolves with the first event, past or to come, for which a predicate holds. */
export function waitForEvent(watched: Watched) {
  return async function untilEvent<T extends TimelineEvent>(
    predicate: ((event: TimelineEvent) => event is T) | ((event: TimelineEvent) => boolean),
    { timeoutMs = DEFAULT_TIMEOUT_MS, description = predicate.toString() }: WaitOptions = {},
  ): Promise<T> {
    const { records } = watched.timeline
    let next = 0
    return await waitUntil<T>(watched, {
      check() {
        // The timeline forgets its oldest records.
        if (next > records.length) next = 0
        const found = records.slice(next).find((event): event is T => predicate(event))
        next = records.length
        return found
      },
      concerns: () => true,
      description: `an event with ${description}`,
      lastState: () => JSON.stringify(records.slice(-5), maskEnv),
      timeoutMs,
    })
  }
}

function maskEnv(key: string, value: unknown): unknown {
  if (key === 'env' && typeof value === 'object' && value !== null) return Object.keys(value)
  return key === 'body' ? '[masked]' : value
}

interface Wait<T> {
  /** Answers with what was waited for, or undefined as long as it is not there. */
  readonly check: () => T | undefined
  /** Whether `check` may answer differently after this event. */
  readonly concerns: (event: TimelineEvent) => boolean
  readonly description: string
  /** What there was instead, for the error. */
  readonly lastState: () => string
  readonly timeoutMs: number
}

function waitUntil<T>({ timeline, closing }: Watched, wait: Wait<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const unsubscribe = timeline.subscribe((event) => wait.concerns(event) && attempt())
    const timer = setTimeout(() => giveUp(`after ${wait.timeoutMs} ms`), wait.timeoutMs)
    const onClose = () => giveUp('because the simulator closed')
    closing.addEventListener('abort', onClose)
    if (closing.aborted) onClose()
    else attempt()

    function attempt(): void {
      try {
        const answer = wait.check()
        if (answer !== undefined) end(() => resolve(answer))
      } catch (error) {
        end(() => reject(error instanceof Error ? error : new Error(String(error))))
      }
    }

    function giveUp(why: string): void {
      const message = `Gave up ${why} waiting for ${wait.description}; the last state: ${wait.lastState()}`
      end(() => reject(new Error(message)))
    }

    function end(settle: () => void): void {
      unsubscribe()
      clearTimeout(timer)
      closing.removeEventListener('abort', onClose)
      settle()
    }
  })
}
