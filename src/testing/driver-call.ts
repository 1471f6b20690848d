import { createHmac } from 'node:crypto'
import { Secret } from '../domain/secret.ts'
import type { DriverCall } from '../drivers/driver.ts'

export interface DriverCallSettings {
  readonly signal?: AbortSignal
  readonly confirm?: () => Promise<void>
  readonly onProgress?: (text: string) => void
  /** What the secrets are derived from. */
  readonly key?: string
  readonly olderKeys?: readonly string[]
  readonly holdpoint?: string
}

/** A call as an activity makes it: the same keys and purpose give the same secrets. */
export function driverCall({
  signal = new AbortController().signal,
  confirm = () => Promise.resolve(),
  onProgress = () => {},
  key = 'a key for tests',
  olderKeys = [],
  holdpoint = 'holdpoint for tests',
}: DriverCallSettings = {}): DriverCall {
  return {
    signal,
    holdpoint,
    confirm,
    progress: onProgress,
    deriveSecrets: (purpose) => [
      derive(key, purpose),
      ...olderKeys.map((old) => derive(old, purpose)),
    ],
  }
}

function derive(key: string, purpose: string): Secret {
  return new Secret(createHmac('sha256', key).update(purpose).digest('base64') + '/?#%:@')
}
