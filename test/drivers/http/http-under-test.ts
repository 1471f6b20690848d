import { http } from '../../../src/drivers/http/driver.ts'
import type { DriverUnderTest } from '../../../src/testing/driver-under-test.ts'
import { postgresUnderTest } from '../postgres-under-test.ts'
import { PROVIDER_SECRET, startPostgresProvider } from './postgres-provider.ts'

/** The driver against a provider whose branches are databases of this server. */
export async function httpUnderTest(postgresUrl: string): Promise<DriverUnderTest> {
  const provider = await startPostgresProvider(postgresUrl)
  const otherSide = postgresUnderTest(postgresUrl)
  const driver = driverFor(provider.url)
  return {
    ...otherSide,
    driver,
    async loseAnswer(nth, act) {
      const { url, hasLost } = provider.losing(nth)
      const losing = driverFor(url)
      try {
        await act(losing)
        return hasLost()
      } finally {
        await losing.close()
      }
    },
    async close() {
      await driver.close()
      await provider.close()
      await otherSide.close()
    },
  }
}

/** The driver for a provider on this machine. */
export function driverFor(url: string, options: Partial<Parameters<typeof http>[0]> = {}) {
  return http({ url, secret: PROVIDER_SECRET, allow: [new URL(url).host], ...options })
}
