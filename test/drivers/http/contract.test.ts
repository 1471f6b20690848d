import { afterAll, beforeAll } from 'vitest'
import { describeDriverContract } from '../contract.ts'
import { closeConnections, embeddedServerUrl, keepConnections } from '../postgres-under-test.ts'
import { httpUnderTest } from './http-under-test.ts'

beforeAll(() => keepConnections(embeddedServerUrl()))
afterAll(() => closeConnections())

describeDriverContract('the driver contract over HTTP', () => httpUnderTest(embeddedServerUrl()))
