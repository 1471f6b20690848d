import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  makeContinueAsNewFunc,
  setHandler,
} from '@temporalio/workflow'
import type { Announced } from '../activities/announcement.ts'
import type { ResourceKey } from '../src/domain/resource-key.ts'
import { announceResource } from './activities.ts'
import { cutOffAt } from './cut-off-at.ts'
import { explainFailure } from './explain-failure.ts'
import {
  announceSignal,
  cleanupSignal,
  NOT_ANNOUNCED,
  RESOURCE_REMOVAL,
  type ResourceRemoval,
} from './messages.ts'

/**
 * What all work on a resource has in common: it ends at its deadline, or when the resource is to go, and Vercel is told
 * of its end once nobody waits for it any more. Make it before the first await of the run.
 */
export class ResourceWork {
  readonly #key: ResourceKey
  readonly #what: Announced
  readonly #scope = new CancellationScope()
  #removed = false
  #nobodyWaits = false
  #announced: boolean | undefined
  #announcing: CancellationScope | undefined

  constructor(key: ResourceKey, what: Announced) {
    this.#key = key
    this.#what = what
    setHandler(announceSignal, () => void (this.#nobodyWaits = true))
    setHandler(cleanupSignal, () => {
      this.#removed = true
      this.#scope.cancel()
      this.#announcing?.cancel()
    })
  }

  /** Whether the resource is to go; then it is all the same how the work ended. */
  get removed(): boolean {
    return this.#removed
  }

  /** Does the work until the deadline; answers why it did not come to its end. */
  async attempt(
    deadlineMs: number,
    work: (deadlineAt: number) => Promise<void>,
  ): Promise<ApplicationFailure | undefined> {
    const deadlineAt = Date.now() + deadlineMs
    const outOfTime = ApplicationFailure.nonRetryable(
      `Not finished within ${Math.round(deadlineMs / 1000)} seconds, so it was given up: try again, and ask the provider if it happens again.`,
      'deadline_passed',
    )
    try {
      await this.#scope.run(() => cutOffAt(deadlineAt, outOfTime, () => work(deadlineAt)))
      return undefined
    } catch (error) {
      return explainFailure(
        error,
        'The provider broke the work off, so it was given up: try again, and ask the provider if it happens again.',
      )
    }
  }

  /**
   * Tells Vercel of the end where nobody waits for it any more; the second time it was told. Answers whether Vercel
   * knows, or is answered by whoever waits. Look after it whether the resource is to go.
   */
  async announce(problem?: string): Promise<boolean> {
    if (this.#removed || !this.#nobodyWaits) return true
    return (this.#announced ??= await this.#tell(problem))
  }

  async #tell(problem: string | undefined): Promise<boolean> {
    const announcement = {
      key: this.#key,
      what: this.#what,
      ...(problem !== undefined && { problem }),
    }
    try {
      // An operator who cancels the work does not keep the customer from hearing of it.
      await CancellationScope.nonCancellable(async () => {
        this.#announcing = new CancellationScope()
        await this.#announcing.run(() => announceResource(announcement))
      })
      return true
    } catch (error) {
      if (error instanceof ActivityFailure || isCancellation(error)) return false
      throw error
    }
  }

  /** The end of a run that did its work, of which Vercel did not want to be told. */
  notAnnounced(leaves: string): ApplicationFailure {
    return ApplicationFailure.nonRetryable(
      `The work is done, but Vercel did not take what it was told of it. ${leaves}`,
      NOT_ANNOUNCED,
    )
  }

  /** Ends the run; under its id its resource is taken back. */
  async goOnAsRemoval(): Promise<never> {
    const goOn = makeContinueAsNewFunc<ResourceRemoval>({ workflowType: RESOURCE_REMOVAL })
    const because = 'The resource was removed while something was being done to it.'
    return await goOn({ key: this.#key, because })
  }
}
