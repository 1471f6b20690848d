import { z } from '@hono/zod-openapi'
import { shortText } from './short-text.ts'

export const installationPath = '/v1/installations/{installationId}'
export const installationParams = z.object({
  installationId: z.string().regex(/^[A-Za-z0-9_-]{1,200}$/),
})

export const resourcePath = `${installationPath}/resources/{resourceId}` as const
export const resourceParams = installationParams.extend({ resourceId: shortText() })
