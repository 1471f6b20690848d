import { describeDriverContract } from '../contract.ts'
import { embeddedServerUrl } from '../postgres-under-test.ts'
import { startFakeNeon } from './fake-neon.ts'
import { neonUnderTest } from './neon-under-test.ts'

describeDriverContract('the driver contract on Neon', async () =>
  neonUnderTest(await startFakeNeon(embeddedServerUrl())),
)
