import { fileURLToPath } from 'node:url'
import type { DataConverter } from '@temporalio/common'
import { type EncryptionKey, payloadCodec } from './payload-codec.ts'

/** Where workers and the workflow bundle find the failure converter of encrypted histories. */
export const encryptedFailureConverterPath = fileURLToPath(
  new URL(`./failure-converter${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
)

/** How payloads are written: as JSON in clear without keys, sealed with the first key otherwise. */
export function dataConverter(keys: readonly EncryptionKey[]): DataConverter {
  const [current, ...older] = keys
  if (!current) return {}
  return {
    payloadCodecs: [payloadCodec([current, ...older])],
    failureConverterPath: encryptedFailureConverterPath,
  }
}
