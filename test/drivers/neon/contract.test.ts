import { afterAll, beforeAll } from 'vitest'
import { describeDriverContract } from '../contract.ts'
import { closeConnections, embeddedServerUrl, keepConnections } from '../postgres-under-test.ts'
import { startFakeNeon } from './fake-neon.ts'
import { neonUnderTest } from './neon-under-test.ts'

beforeAll(() => keepConnections(embeddedServerUrl()))
afterAll(closeConnections)

describeDriverContract('the driver contract on Neon', async () =>
  neonUnderTest(await startFakeNeon(embeddedServerUrl())),
)
