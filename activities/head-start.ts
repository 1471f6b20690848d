import { randomUUID } from 'node:crypto'
import type { ActionRequest } from '../src/domain/action-run.ts'
import type { Deployment } from '../src/domain/deployment.ts'

/** What an action is opened with, as Vercel has it. */
export interface OpeningRead {
  readonly deployment: Deployment
  /** The resource's metadata; empty where the action has no use for it. */
  readonly metadata: Record<string, unknown>
}

/** What a run is identified by before it exists. */
export type HeadStartRequest = Pick<ActionRequest, 'key' | 'teamId' | 'options'>

interface HeadStart {
  readonly begunAt: number
  read?: Promise<OpeningRead>
  isReporting: boolean
}

/** What was read longer ago is read again. */
const FRESH_FOR_MS = 5000
/** Runs that are open at the same time. One that is forgotten is merely slower, and more careful. */
const MAX_REMEMBERED = 10_000

/**
 * What the front door knows and begins for a run of an action before Temporal has it, when the worker lives in the same
 * process. It is a hint: lost with the process, and everything is right without it.
 */
export class HeadStarts {
  readonly #read: (request: HeadStartRequest) => Promise<OpeningRead>
  readonly #remembered = new Map<string, HeadStart>()

  constructor(read: (request: HeadStartRequest) => Promise<OpeningRead>) {
    this.#read = read
  }

  /** Begins to read what the run will need. Answers the id that the run, and no other, is to be started with. */
  begin(request: HeadStartRequest): string {
    const id = randomUUID()
    const read = this.#read(request)
    // Whoever needs it reads again.
    read.catch(() => {})
    const [oldest] = this.#remembered.keys()
    if (oldest !== undefined && this.#remembered.size >= MAX_REMEMBERED)
      this.#remembered.delete(oldest)
    this.#remembered.set(id, { begunAt: performance.now(), read, isReporting: false })
    return id
  }

  /** Forgets a head start: its run was not started, or Vercel may have its report. */
  drop(id: string): void {
    this.#remembered.delete(id)
  }

  /** What was begun to be read; once, and undefined when it is not known here, too old or failed. */
  async opened(id: string): Promise<OpeningRead | undefined> {
    const known = this.#remembered.get(id)
    const { read } = known ?? {}
    if (!known || !read) return undefined
    delete known.read
    if (performance.now() - known.begunAt > FRESH_FOR_MS) return undefined
    return await read.catch(() => undefined)
  }

  /** True once, and only when nobody has begun to report an outcome of the run, in any process. */
  takeFirstReport(id: string): boolean {
    const known = this.#remembered.get(id)
    if (known && !known.isReporting) {
      known.isReporting = true
      return true
    }
    // Two at the same time: whatever the other one finds, neither is known to be the only one.
    this.#remembered.delete(id)
    return false
  }

  /** Gives back a first report that was not sent. False when it is too late: somebody else asked for it meanwhile. */
  returnFirstReport(id: string): boolean {
    const known = this.#remembered.get(id)
    if (known) known.isReporting = false
    return known !== undefined
  }
}
