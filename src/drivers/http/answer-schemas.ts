import { z } from 'zod'

// What a provider answers; docs/http-driver.md is its contract. Unknown keys pass, unknown states stay texts.

const text = z.string()
const optionalText = text.optional().catch(undefined)

const ownerSchema = z.object({
  installationId: text,
  resourceId: text,
  deploymentId: text,
  action: text,
})

const errorSchema = z.object({
  code: text,
  message: text.catch(''),
  retryable: z.boolean().optional().catch(undefined),
})

/** What went wrong, in the provider's words. */
export type ProviderError = z.infer<typeof errorSchema>

export const errorAnswerSchema = z.object({ error: errorSchema })

/** What stands under the name of a branch. */
export const branchAnswerSchema = z.object({
  state: text,
  /** Unset where nothing stands, or something that Holdpoint did not ask for. */
  owner: ownerSchema.optional().catch(undefined),
  fence: text.max(200),
  progress: optionalText,
  error: errorSchema.optional().catch(undefined),
})

export const connectionAnswerSchema = z.object({
  url: text.min(1),
  host: text,
  port: z.int().min(1).max(65_535),
  user: text,
  password: text,
  database: text,
})

export const listAnswerSchema = z.object({
  branches: z.array(z.unknown()),
  next: text.min(1).nullish(),
})

export const listedBranchSchema = z.object({
  name: text,
  owner: ownerSchema,
  state: text,
  source: optionalText,
  createdAt: text.pipe(z.coerce.date()).optional().catch(undefined),
  holdpoint: optionalText,
})

export const callbackSchema = z.object({ branch: text })
