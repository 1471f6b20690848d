import { randomUUID } from 'node:crypto'
import { secretDeriver } from '../../src/config/derive-secret.ts'
import { resourceIdFor } from '../../src/domain/resource-key.ts'
import { silentLog } from '../../src/log.ts'
import type { ResourceCall } from '../../src/products/provision-resource.ts'

/** A call of a product for a resource that is not made yet. */
export function productCall(
  changes: Partial<ResourceCall<Record<string, unknown>>> = {},
): ResourceCall<Record<string, unknown>> {
  const installationId = 'icfg_1'
  return {
    key: { installationId, resourceId: resourceIdFor(installationId, randomUUID()) },
    product: 'db',
    name: 'orders',
    metadata: {},
    signal: new AbortController().signal,
    holdpoint: 'holdpoint for tests',
    confirm: () => Promise.resolve(),
    progress: () => {},
    deriveSecrets: secretDeriver(['key']),
    log: silentLog,
    ...changes,
  }
}
