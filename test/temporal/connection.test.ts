import { expect, inject, onTestFinished, test } from 'vitest'
import { connectTemporal } from '../../src/temporal/connection.ts'
import { freePort } from '../../src/temporal/embedded-ports.ts'

const at = (address: string) => ({ connectionOptions: { address }, namespace: 'default' })

test('one connection serves client and worker', async () => {
  const link = await connectTemporal(at(inject('devServer').address), {})
  onTestFinished(() => link.connection.close())
  expect(link.namespace).toBe('default')
  expect(link.client.options.namespace).toBe('default')
  expect(link.client.connection).toBe(link.connection)
})

test('a Temporal that is not there is given up in three parts: what, why it matters, what to do', async () => {
  const address = `127.0.0.1:${await freePort('127.0.0.1')}`
  const error: unknown = await connectTemporal(at(address), {}).catch((reason: unknown) => reason)
  expect(String(error)).toBe(
    `ActionFailure: Temporal at ${address} cannot be reached, so no webhook can be accepted durably. Start it, or correct TEMPORAL_ADDRESS and its TLS settings.`,
  )
  expect(error).toMatchObject({ code: 'temporal_unreachable', retryable: true })
})
