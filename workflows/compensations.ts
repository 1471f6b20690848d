import { CancellationScope } from '@temporalio/workflow'

/**
 * The undo list of a run. Promise an undo before its step: a step whose answer is lost may have had its effect, and
 * undoing what never happened succeeds.
 */
export class Compensations {
  readonly #undos: Array<() => Promise<void>> = []

  add(undo: () => Promise<void>): void {
    this.#undos.push(undo)
  }

  /** Undoes last first, whoever cancels meanwhile. Throws when an undo is refused for good. */
  async run(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      for (let undo = this.#undos.pop(); undo; undo = this.#undos.pop()) await undo()
    })
  }
}
