import type { InstallationStore, Resource } from '../installations/store.ts'
import { resourcePending } from './find-resource.ts'
import { PartnerError } from './partner-error.ts'

/**
 * The resources that a claim offers to the installation now; undefined when the claim is unknown, expired or accepted.
 * Throws a `PartnerError`: 404 when nothing of it is left, 409 when the installation may not have them now.
 */
export async function findOffer(
  store: InstallationStore,
  { claimId, toInstallationId }: { claimId: string; toInstallationId: string },
): Promise<readonly Resource[] | undefined> {
  const offer = await store.getTransferRequest(claimId)
  if (!offer || offer.expiresAtMs <= Date.now()) return undefined
  const { fromInstallationId } = offer
  if (fromInstallationId === toInstallationId) {
    throw new PartnerError(
      409,
      'transfer_to_itself',
      'The installation offers these resources itself, so it cannot accept them: accept with another installation.',
    )
  }
  const offering = await store.getInstallation(fromInstallationId)
  if (offering?.state !== 'active') return undefined
  const offered = new Set(offer.resourceIds)
  const resources = (await store.listResources(fromInstallationId)).filter(({ id }) =>
    offered.has(id),
  )
  // What is at work on it would lose it in the middle.
  if (resources.some(({ status }) => status === 'pending')) throw resourcePending()
  if (resources.length === 0) throw claimUnknown()
  return resources
}

export function claimUnknown(): PartnerError {
  return new PartnerError(
    404,
    'not_found',
    'There is no such transfer to accept: it is unknown, has expired, or was accepted. Ask for a new one.',
  )
}
