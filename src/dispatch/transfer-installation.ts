import type { Acceptance, InstallationTransferred } from '../domain/vercel-event.ts'
import type { Dispatch } from './dispatch-event.ts'

/** Remembers whose the installation is now; the store's write is the durable one. Ignored where none is kept. */
export async function transferInstallation(
  { installations }: Pick<Dispatch, 'installations'>,
  { installationId, teamId }: InstallationTransferred,
): Promise<Acceptance> {
  if (!installations || teamId === undefined) return 'ignored'
  const known = await installations.updateInstallation(installationId, { teamId })
  return known ? 'accepted' : 'ignored'
}
