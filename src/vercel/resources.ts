import { z } from 'zod'
import { requestVercel, type VercelConnection } from './client.ts'

const resourceSchema = z.looseObject({
  metadata: z.record(z.string(), z.unknown()).nullish().catch(undefined),
})

/** The resource's metadata as its owner set it in Vercel's dashboard. Throws `VercelApiError`. */
export async function getResourceMetadata(
  connection: VercelConnection,
  request: { installationId: string; resourceId: string; signal?: AbortSignal },
): Promise<Record<string, unknown>> {
  const { installationId, resourceId, signal } = request
  const body = await requestVercel(connection, {
    method: 'GET',
    path: ['v1', 'installations', installationId, 'resources', resourceId],
    installationId,
    ...(signal && { signal }),
  })
  return resourceSchema.safeParse(body).data?.metadata ?? {}
}
