import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Payload, PayloadCodec } from '@temporalio/common'
import proto from '@temporalio/proto'

const ENCODING = 'binary/encrypted'
const IV_BYTES = 12
const TAG_BYTES = 16

/** A key of the ring. Its id stands beside every payload it sealed, so old payloads stay readable after a rotation. */
export interface EncryptionKey {
  readonly id: string
  /** 32 bytes, for AES-256-GCM. */
  readonly bytes: Uint8Array
}

const { Payload: PayloadMessage } = proto.temporal.api.common.v1

/**
 * Seals every payload with the first key and opens those of any key. Payloads that were never sealed pass through,
 * so encryption may be switched on while actions run. Opening throws when the key is not in the ring.
 */
export function payloadCodec(keys: readonly [EncryptionKey, ...EncryptionKey[]]): PayloadCodec {
  const [current] = keys
  const keyOf = new Map(keys.map((key) => [key.id, key]))
  return {
    encode: (payloads) => Promise.resolve(payloads.map((payload) => seal(payload, current))),
    decode: (payloads) => Promise.resolve(payloads.map((payload) => open(payload, keyOf))),
  }
}

function seal(payload: Payload, key: EncryptionKey): Payload {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.bytes, iv)
  const plain = PayloadMessage.encode(payload).finish()
  return {
    metadata: { encoding: Buffer.from(ENCODING), 'encryption-key-id': Buffer.from(key.id) },
    data: Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
  }
}

function open(payload: Payload, keyOf: ReadonlyMap<string, EncryptionKey>): Payload {
  const { metadata, data } = payload
  if (!metadata || !data || text(metadata['encoding']) !== ENCODING) return payload
  const keyId = text(metadata['encryption-key-id'])
  const key = keyOf.get(keyId)
  if (!key) {
    throw new Error(
      `A payload was sealed with the encryption key ${keyId}, which is not in HOLDPOINT_ENCRYPTION_KEYS, so the run cannot go on: add that key behind the current one.`,
    )
  }
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, data.subarray(0, IV_BYTES))
  decipher.setAuthTag(data.subarray(data.length - TAG_BYTES))
  const sealed = data.subarray(IV_BYTES, data.length - TAG_BYTES)
  return PayloadMessage.decode(Buffer.concat([decipher.update(sealed), decipher.final()]))
}

function text(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString()
}
