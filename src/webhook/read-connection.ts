import { connectionPayloadSchema } from './event.ts'
import type { Reader } from './reader.ts'

/** Reads which resource was connected to which project, or is no longer. */
export function readConnection(connected: boolean): Reader {
  return (payload) => {
    const parsed = connectionPayloadSchema.safeParse(payload)
    if (!parsed.success) return parsed.error
    const { installationId, resourceId, projectId } = parsed.data
    return { kind: 'resource-connected', installationId, resourceId, projectId, connected }
  }
}
