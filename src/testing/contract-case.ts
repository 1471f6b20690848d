import type { DriverUnderTest } from './driver-under-test.ts'
import { inScene, type Scene } from './scene.ts'

/** One promise of `ResourceDriver`, as a test that any test runner can run. */
export interface ContractCase {
  /** The promise, as a sentence. */
  readonly name: string
  /** Why the case says nothing of this driver; undefined when it does. */
  skip(subject: DriverUnderTest): string | undefined
  /**
   * Throws when the promise is broken. Deletes the branches it made. Cases may run at the same time, also against one
   * subject; a few take several seconds.
   */
  run(subject: DriverUnderTest): Promise<void>
}

/** What a case needs beyond what every driver and every subject has. */
export type Need =
  'sharing' | 'makeLookalike' | 'loseAnswer' | 'branchesLiveInside' | 'branchesLiveBeside'

/** Cases whose drivers and subjects must have what is needed. */
export function promises(
  needs: readonly Need[],
  cases: Record<string, (scene: Scene) => Promise<void>>,
): ContractCase[] {
  return Object.entries(cases).map(([name, act]) => ({
    name,
    skip: (subject) => needs.map((need) => missing(need, subject)).find((text) => text),
    run: async (subject) => inScene(subject, act),
  }))
}

function missing(need: Need, subject: DriverUnderTest): string | undefined {
  if (need === 'sharing')
    return subject.driver.sharing ? undefined : 'the driver shares no branches'
  if (need === 'branchesLiveBeside')
    return subject.branchesLiveInside ? 'branches live inside their resource' : undefined
  return subject[need] ? undefined : `the subject has no ${need}`
}
