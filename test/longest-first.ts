import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The size of a file tells mostly how long it takes. Not so of these, which a single worker would end with. */
const LONG = ['model/model.test.ts', 'end-to-end/process.test.ts', 'http/contract.test.ts']

/** Begins with the files that take long, so that all workers are busy until the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(name))
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
