import { z } from 'zod'

// What we use of Neon's answers. Unknown keys pass, and states stay texts: Neon adds new ones.

const text = z.string()

const branch = z.object({
  id: text,
  name: text,
  parent_id: text.optional(),
  current_state: text,
  default: z.boolean(),
  protected: z.boolean(),
  created_at: z.coerce.date(),
})
const operation = z.object({
  id: text,
  branch_id: text.optional(),
  action: text,
  status: text,
  error: text.optional(),
})
const endpoint = z.object({ id: text, type: text })

export type NeonBranch = z.infer<typeof branch>
export type NeonOperation = z.infer<typeof operation>

export const branchAnswer = z.object({ branch })
export const branchPage = z.object({
  branches: z.array(branch),
  annotations: z.record(text, z.object({ value: z.record(text, z.unknown()) })).default({}),
  pagination: z.object({ next: text.optional() }).optional(),
})
export const createdBranch = z.object({
  branch,
  endpoints: z.array(endpoint).default([]),
  operations: z.array(operation).default([]),
})
export const countAnswer = z.object({ count: z.number() })
export const endpointsAnswer = z.object({ endpoints: z.array(endpoint) })
export const databasesAnswer = z.object({
  databases: z.array(z.object({ name: text, owner_name: text })),
})
export const rolesAnswer = z.object({
  roles: z.array(z.object({ name: text, authentication_method: text.optional() })),
})
export const uriAnswer = z.object({ uri: text })
export const operationAnswer = z.object({ operation })
/** What a change leaves to be done. An empty answer (204) leaves nothing. */
export const operationsAnswer = z.preprocess(
  (answer) => (answer === '' || answer === null ? {} : answer),
  z.object({ operations: z.array(operation).default([]) }),
)
export const projectAnswer = z.object({
  project: z.object({
    id: text,
    owner: z
      .object({ branches_limit: z.number(), subscription_type: text.catch('unknown') })
      .optional()
      .catch(undefined),
  }),
})
export const projectPage = z.object({
  projects: z.array(z.object({ id: text })),
  pagination: z.object({ cursor: text }).optional(),
})

/** Whether the branch holds its data and can be connected to. */
export function isReady({ current_state }: NeonBranch): boolean {
  return current_state === 'ready' || current_state === 'archived'
}
