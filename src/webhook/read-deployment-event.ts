import type { Concerned } from '../domain/deployment-check.ts'
import { concernedSchema, deploymentEventPayloadSchema, rerequestPayloadSchema } from './event.ts'
import type { Reader } from './reader.ts'

/** Reads what has become of a deployment. */
export function readDeploymentEvent(news: 'created' | 'ready' | 'failed' | 'canceled'): Reader {
  return (payload, { deliveryId }) => {
    const concerned = concernedBy(payload)
    if (concerned.length === 0) return NOBODY
    const parsed = deploymentEventPayloadSchema.safeParse(payload)
    if (!parsed.success) return parsed.error
    const { deployment, team } = parsed.data
    return {
      kind: 'deployment',
      news,
      deploymentId: deployment.id,
      concerned,
      deliveryId,
      ...(team && { teamId: team.id }),
    }
  }
}

/** Reads which check of a deployment is to be run once more. */
export const readRerequest: Reader = (payload, { deliveryId }) => {
  const concerned = concernedBy(payload)
  if (concerned.length === 0) return NOBODY
  const parsed = rerequestPayloadSchema.safeParse(payload)
  if (!parsed.success) return parsed.error
  const { deployment, check, team } = parsed.data
  return {
    kind: 'deployment',
    news: 'check-rerequested',
    checkId: check.id,
    deploymentId: deployment.id,
    concerned,
    deliveryId,
    ...(team && { teamId: team.id }),
  }
}

// Vercel promises neither way to name them.
const NOBODY = {
  kind: 'ignored',
  because: 'Its payload names no installation, so nobody knows whose deployment it is.',
} as const

/** Each installation once, or once for each of its resources where the event tells them. */
function concernedBy(payload: unknown): Concerned[] {
  const { integrations, installationIds } = concernedSchema.parse(payload)
  const named = integrations?.length
    ? integrations
    : (installationIds ?? []).map((installationId) => ({ installationId, resources: undefined }))
  const resourcesOf = new Map<string, Set<string>>()
  for (const { installationId, resources } of named) {
    const ids = resourcesOf.get(installationId) ?? new Set()
    for (const { externalResourceId } of resources ?? [])
      if (externalResourceId) ids.add(externalResourceId)
    resourcesOf.set(installationId, ids)
  }
  return [...resourcesOf].flatMap(([installationId, ids]) =>
    ids.size === 0
      ? [{ installationId }]
      : [...ids].map((resourceId) => ({ installationId, resourceId })),
  )
}
