import { afterAll, beforeAll, describe, test } from 'vitest'
import { driverContract } from '../../src/testing/driver-contract.ts'
import type { DriverUnderTest } from '../../src/testing/driver-under-test.ts'

/** The driver contract against one provider, a few cases at a time. */
export function describeDriverContract(name: string, setUp: () => Promise<DriverUnderTest>): void {
  describe(name, () => {
    let subject: DriverUnderTest

    beforeAll(async () => {
      subject = await setUp()
    })
    afterAll(async () => {
      await subject.close()
    })

    for (const promise of driverContract)
      test.concurrent(promise.name, { timeout: 120_000 }, async (context) => {
        const reason = promise.skip(subject)
        if (reason !== undefined) context.skip(reason)
        await promise.run(subject)
      })
  })
}
