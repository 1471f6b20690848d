import { randomBytes } from 'node:crypto'
import { defaultPayloadConverter, type Payload } from '@temporalio/common'
import { describe, expect, test } from 'vitest'
import { dataConverter } from '../../src/temporal/data-converter.ts'
import { type EncryptionKey, payloadCodec } from '../../src/temporal/payload-codec.ts'

const key = (id: string): EncryptionKey => ({ id, bytes: randomBytes(32) })
const [one, two] = [key('2026-01'), key('2026-08')]

const value = { resource: 'db-42', text: 'größe 😀', size: 3 }
const payload = defaultPayloadConverter.toPayload(value)

async function seal(by: EncryptionKey, plain: Payload = payload): Promise<Payload> {
  const [sealed] = await payloadCodec([by]).encode([plain])
  if (!sealed) throw new Error('nothing sealed')
  return sealed
}

/** What a ring makes of a payload, as the value it stands for. */
async function open(ring: [EncryptionKey, ...EncryptionKey[]], sealed: Payload): Promise<unknown> {
  const [opened] = await payloadCodec(ring).decode([sealed])
  return defaultPayloadConverter.fromPayload(opened ?? {})
}

test('a payload comes back as it was, and tells nothing in between', async () => {
  const sealed = await seal(one)
  expect(await open([one], sealed)).toEqual(value)
  const seen = Buffer.concat(
    [sealed.data, ...Object.values(sealed.metadata ?? {})].map((part) => Buffer.from(part ?? [])),
  )
  expect(seen.includes('db-42')).toBe(false)
  expect(Buffer.from(sealed.metadata?.['encoding'] ?? []).toString()).toBe('binary/encrypted')
})

test('the metadata of a payload is kept, and an empty one too', async () => {
  const plain = { metadata: { encoding: Buffer.from('binary/null'), mine: Buffer.from('x') } }
  const [opened] = await payloadCodec([one]).decode([await seal(one, plain)])
  expect(Buffer.from(opened?.metadata?.['mine'] ?? []).toString()).toBe('x')
  expect(opened?.data ?? []).toHaveLength(0)
})

test('the same payload is never sealed the same way twice', async () => {
  expect((await seal(one)).data).not.toEqual((await seal(one)).data)
})

test('after a rotation old payloads stay readable, and new ones need the new key', async () => {
  const old = await seal(one)
  expect(await open([two, one], old)).toEqual(value)
  const [sealed = {}] = await payloadCodec([two, one]).encode([payload])
  expect(await open([two], sealed)).toEqual(value)
  await expect(open([one], sealed)).rejects.toThrow(two.id)
})

test('a key that is not in the ring is named, with what to do', async () => {
  const sealed = await seal(one)
  await expect(open([two], sealed)).rejects.toThrow(
    /key 2026-01, which is not in HOLDPOINT_ENCRYPTION_KEYS.*add that key/,
  )
})

describe('what was tampered with is refused', () => {
  test.each([
    ['in its first byte', 0],
    ['in its middle', 40],
    ['in its last byte', -1],
  ])('%s', async (_, at) => {
    const sealed = await seal(one)
    const data = Buffer.from(sealed.data ?? [])
    const index = at < 0 ? data.length + at : at
    data.writeUInt8(data.readUInt8(index) ^ 1, index)
    await expect(open([one], { ...sealed, data })).rejects.toThrow()
  })

  test('cut short', async () => {
    const sealed = await seal(one)
    for (const length of [0, 5, 12, 20, (sealed.data?.length ?? 0) - 1]) {
      const data = sealed.data?.subarray(0, length) ?? null
      await expect(open([one], { ...sealed, data })).rejects.toThrow()
    }
  })

  test('sealed by another key of the same name', async () => {
    await expect(open([{ ...one, bytes: two.bytes }], await seal(one))).rejects.toThrow()
  })
})

test('a payload that was never sealed passes, so that encryption may be switched on while actions run', async () => {
  const empty = { metadata: null, data: null }
  expect(await payloadCodec([one]).decode([payload, empty])).toEqual([payload, empty])
})

test('without keys nothing is sealed; with keys failures are sealed too', () => {
  expect(dataConverter([])).toEqual({})
  const converter = dataConverter([one])
  expect(converter.payloadCodecs).toHaveLength(1)
  expect(converter.failureConverterPath).toMatch(/failure-converter\.ts$/)
})
