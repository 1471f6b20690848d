import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { ActionFailure } from '../domain/failure.ts'

const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

/** A key of the ring. Its id stands before every text it sealed, so old ones stay readable after a rotation. */
export interface SealingKey {
  /** Letters, digits, `_`, `.` and `-`. */
  readonly id: string
  /** 32 bytes, for AES-256-GCM. */
  readonly bytes: Uint8Array
}

/** Where a sealed text stands: a table, a column, and the parts that identify the row. */
export type Place = readonly [table: string, column: string, ...row: string[]]

export interface Seal {
  /** The id of the key that seals. */
  readonly keyId: string
  /** Whether that key is in the ring. */
  hasKey(keyId: string): boolean
  /** The text as `id of the key:…`, never the same twice. */
  seal(text: string, place: Place): string
  /** The text that was sealed for just this place. Throws an `ActionFailure` otherwise, final and without the text. */
  open(sealed: string, place: Place): string
}

/** Seals with the first key, and opens what any of them sealed. Throws an `ActionFailure` when there is none. */
export function createSeal(keys: readonly SealingKey[]): Seal {
  const [current] = keys
  if (!current) {
    throw new ActionFailure(
      'encryption_key_missing',
      'There is no key to seal access tokens with, so the installation store is not opened. Set HOLDPOINT_ENCRYPTION_KEYS to a key of 32 bytes, as `openssl rand -base64 32` makes one.',
      { retryable: false },
    )
  }
  const keyOf = new Map(keys.map((key) => [key.id, key]))
  return {
    keyId: current.id,
    hasKey: (keyId) => keyOf.has(keyId),

    seal(text, place) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv(CIPHER, current.bytes, iv).setAAD(boundTo(place))
      const parts = [iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
      return `${current.id}:${Buffer.concat(parts).toString('base64url')}`
    },

    open(sealed, place) {
      const keyId = keyIdOf(sealed)
      const key = keyOf.get(keyId)
      if (!key) throw keyMissing(keyId, place)
      const bytes = Buffer.from(sealed.slice(keyId.length + 1), 'base64url')
      try {
        const iv = bytes.subarray(0, IV_BYTES)
        const decipher = createDecipheriv(CIPHER, key.bytes, iv, { authTagLength: TAG_BYTES })
        decipher.setAAD(boundTo(place)).setAuthTag(bytes.subarray(-TAG_BYTES))
        const text = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES))
        return Buffer.concat([text, decipher.final()]).toString('utf8')
      } catch {
        throw unopenable(keyId, place)
      }
    },
  }
}

/** The id of the key that a text was sealed with. */
export function keyIdOf(sealed: string): string {
  return sealed.slice(0, Math.max(sealed.indexOf(':'), 0))
}

// So that a text which is moved to another row, column or table does not open there.
function boundTo(place: Place): Buffer {
  return Buffer.from(JSON.stringify(['holdpoint/1', ...place]))
}

function keyMissing(keyId: string, place: Place): ActionFailure {
  return new ActionFailure(
    'encryption_key_unknown',
    `${named(place)} was sealed with the key ${JSON.stringify(keyId)}, which is not in HOLDPOINT_ENCRYPTION_KEYS, so it cannot be used. Add that key behind the current one, and restart.`,
    { retryable: false },
  )
}

function unopenable(keyId: string, place: Place): ActionFailure {
  return new ActionFailure(
    'sealed_value_broken',
    `${named(place)} does not open with the key ${JSON.stringify(keyId)}, so it is not used: it was changed, belongs to another row, or another key of that name sealed it. Restore the row or the key, or have the installation made again.`,
    { retryable: false },
  )
}

function named([table, column, ...row]: Place): string {
  return `The ${column.replaceAll('_', ' ')} of ${row[0] ?? table}`
}
