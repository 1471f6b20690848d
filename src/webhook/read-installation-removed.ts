import { configurationPayloadSchema } from './event.ts'
import type { Reader } from './reader.ts'

/** Reads which installation is gone. */
export const readInstallationRemoved: Reader = (payload) => {
  const parsed = configurationPayloadSchema.safeParse(payload)
  if (!parsed.success) return parsed.error
  return { kind: 'installation-removed', installationId: parsed.data.configuration.id }
}
