import type { Installation, InstallationStore } from '../installations/store.ts'
import { PartnerError } from './partner-error.ts'

/** The installation. Throws a `PartnerError` (404) when it is not known. */
export async function findInstallation(
  store: InstallationStore,
  installationId: string,
): Promise<Installation> {
  const installation = await store.getInstallation(installationId)
  if (installation) return installation
  throw new PartnerError(
    404,
    'not_found',
    'This installation is not known here, so there is nothing to show or change: install the integration first.',
  )
}

/** The installation, for which something new may begin. Throws a `PartnerError`: 404, or 409 while it is being removed. */
export async function findActiveInstallation(
  store: InstallationStore,
  installationId: string,
): Promise<Installation> {
  const installation = await findInstallation(store, installationId)
  if (installation.state === 'active') return installation
  throw installationRemoving()
}

export function installationRemoving(): PartnerError {
  return new PartnerError(
    409,
    'installation_removing',
    'This installation is being removed, so it is not changed any more: install the integration again, which makes a new one.',
  )
}
