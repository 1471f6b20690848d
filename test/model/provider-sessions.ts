import { ActionFailure } from '../../src/domain/failure.ts'
import type { Process, VirtualClock } from './virtual-clock.ts'

/** One session at the provider that excludes others for the same branch. */
export interface Session {
  readonly process: Process | undefined
  /** Statements at work, which a lost client does not stop. */
  readonly working: Set<symbol>
  /** Aborts when the connection breaks while its client lives. */
  readonly broken: AbortController
  lost: boolean
  release(): void
}

/** The sessions at the provider, those of one branch in a row: only the first one works. */
export class ProviderSessions {
  readonly #clock: VirtualClock
  readonly #excludes: boolean
  readonly #rows = new Map<string, Session[]>()
  /** How often all connections were cut. */
  cuts = 0

  constructor(clock: VirtualClock, { excludes }: { excludes: boolean }) {
    this.#clock = clock
    this.#excludes = excludes
  }

  /** Resolves with a session once those before it ended. */
  begin(name: string, signal: AbortSignal): Promise<Session> {
    const clock = this.#clock
    const { process } = clock
    const row = (this.#excludes ? this.#rows.get(name) : undefined) ?? []
    this.#rows.set(name, row)
    return new Promise((resolve, reject) => {
      const enter = () => clock.after(1, () => resolve(session), { owner: process })
      const session: Session & { enter: () => void } = {
        process,
        working: new Set(),
        broken: new AbortController(),
        lost: false,
        enter,
        release: () => {
          const at = row.indexOf(session)
          if (at < 0) return
          row.splice(at, 1)
          if (at === 0) (row[0] as typeof session | undefined)?.enter()
        },
      }
      row.push(session)
      if (row[0] === session) enter()
      const leave = (reason: Error) => {
        if (row[0] === session) return
        session.release()
        reject(reason)
      }
      signal.addEventListener('abort', () => leave(signal.reason as Error), { once: true })
      const { signal: broken } = session.broken
      broken.addEventListener('abort', () => leave(broken.reason as Error), { once: true })
    })
  }

  /** The client is gone: others come in as soon as its statements are done. */
  end(session: Session): void {
    session.lost = true
    if (session.working.size === 0) session.release()
  }

  /** Ends what a process held. */
  lose(process: Process): void {
    for (const session of this.#all()) if (session.process === process) this.end(session)
  }

  /** Cuts every connection, as a provider that is restarted does. */
  cut(): void {
    this.cuts++
    for (const session of this.#all()) {
      session.broken.abort(
        new ActionFailure('connection_lost', 'The connection was cut.', { retryable: true }),
      )
      this.end(session)
    }
  }

  #all(): Session[] {
    return [...this.#rows.values()].flat()
  }
}
