import { transferPayloadSchema } from './event.ts'
import type { Reader } from './reader.ts'

/** Reads which team an installation belongs to now. */
export const readInstallationTransferred: Reader = (payload) => {
  const parsed = transferPayloadSchema.safeParse(payload)
  if (!parsed.success) return parsed.error
  const { configuration, newTeamId } = parsed.data
  return {
    kind: 'installation-transferred',
    installationId: configuration.id,
    ...(newTeamId && { teamId: newTeamId }),
  }
}
