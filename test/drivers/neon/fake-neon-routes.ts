import { z } from 'zod'
import type { FakeBranch, FakeNeonState, FakeOperation, FakeProject } from './fake-neon-state.ts'

export interface FakeAnswer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Record<string, string>
}

export interface FakeSettings {
  readonly state: FakeNeonState
  /** No page is longer than this, whatever is asked for. */
  largestPage: number
  /** What a running operation keeps others from: changes of its branch, or of anything in its project. */
  locks: 'branch' | 'project'
  /** The connection string's place: of the computes, or of their pooler. */
  readonly addressOf: (pooled: boolean) => string
}

interface RouteCall {
  readonly settings: FakeSettings
  readonly path: readonly string[]
  readonly query: Record<string, string>
  readonly body: unknown
}

interface Route {
  readonly method: string
  readonly path: RegExp
  readonly answer: (call: RouteCall) => FakeAnswer
}

const MOST_TTL_MS = 30 * 24 * 60 * 60_000

/** What Neon's API would answer. Requests with a part that its description does not have are refused. */
export function answerRequest(
  settings: FakeSettings,
  request: { method: string; url: URL; body: unknown },
): FakeAnswer {
  for (const { method, path, answer } of ROUTES) {
    const match = path.exec(request.url.pathname)
    if (method !== request.method || !match) continue
    try {
      const query = Object.fromEntries(request.url.searchParams)
      return answer({ settings, path: match.slice(1), query, body: request.body })
    } catch (error) {
      if (error instanceof Refusal) return error.answer
      if (error instanceof z.ZodError)
        return refusal(400, `json: ${z.prettifyError(error).replaceAll('\n', ' ')}`)
      throw error
    }
  }
  return refusal(404, 'this route does not exist')
}

const page = {
  limit: z.coerce.number().int().min(1).max(10_000).optional(),
  cursor: z.string().optional(),
}
const timestamp = z.iso.datetime({ offset: true, precision: 0 })

const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/projects$/,
    answer({ settings, query }) {
      const asked = z.strictObject({ ...page, org_id: z.string().optional() }).parse(query)
      const all = [...settings.state.projects.values()].map(({ id }) => ({ id, name: id }))
      const { items, last } = cut(all, asked, { settings, usual: 10 })
      return ok({ projects: items, ...(last && { pagination: { cursor: last.id } }) })
    },
  },
  {
    method: 'GET',
    path: /^\/projects\/([^/]+)$/,
    answer(call) {
      const { id, branchesLimit, storesPasswords } = projectOf(call)
      const owner = {
        email: 'owner@example.com',
        name: 'Owner',
        branches_limit: branchesLimit,
        subscription_type: 'launch_v3',
      }
      return ok({ project: { id, name: id, store_passwords: storesPasswords, owner } })
    },
  },
  {
    method: 'GET',
    path: /^\/projects\/([^/]+)\/branches\/count$/,
    answer: (call) => ok({ count: projectOf(call).branches.size }),
  },
  {
    method: 'GET',
    path: /^\/projects\/([^/]+)\/branches$/,
    answer(call) {
      const asked = z
        .strictObject({
          ...page,
          search: z.string().optional(),
          sort_by: z.enum(['created_at', 'updated_at', 'name']).optional(),
          sort_order: z.enum(['asc', 'desc']).optional(),
        })
        .parse(call.query)
      const { search = '' } = asked
      const found = [...projectOf(call).branches.values()].filter(
        ({ id, name }) => name.includes(search) || id.includes(search),
      )
      // The map is in the order of creation.
      if (asked.sort_by !== 'created_at' || asked.sort_order !== 'asc') found.reverse()
      const { items, last } = cut(found, asked, { ...call, usual: 100 })
      return ok({
        branches: items.map(viewBranch),
        annotations: Object.fromEntries(items.flatMap(viewAnnotation)),
        pagination: { next: last?.id, sort_by: 'created_at', sort_order: 'asc' },
      })
    },
  },
  {
    method: 'POST',
    path: /^\/projects\/([^/]+)\/branches$/,
    answer(call) {
      const project = projectOf(call)
      const {
        branch: asked = {},
        endpoints = [],
        annotation_value,
      } = branchCreation.parse(call.body)
      const name = asked.name ?? `br-${project.branches.size}`
      const parent = asked.parent_id ? branchOf(project, asked.parent_id) : defaultOf(project)
      refuseExpiry(asked.expires_at)
      refuseUnstorable(annotation_value)
      if (parent.expiresAt) throw new Refusal(422, 'parent branch has an expiration')
      if ([...project.branches.values()].some((branch) => branch.name === name))
        throw new Refusal(409, `branch already exists; branch_name:"${name}"`)
      if (project.branchesLimit > 0 && project.branches.size >= project.branchesLimit)
        throw new Refusal(422, 'branches limit exceeded', 'BRANCHES_LIMIT_EXCEEDED')
      refuseLocked(call, project, parent)
      const { branch, operations } = call.settings.state.createBranch(project, {
        name,
        parent,
        annotation: annotation_value,
        expiresAt: asked.expires_at,
        hasEndpoint: endpoints.length > 0,
      })
      return {
        status: 201,
        body: {
          branch: viewBranch(branch),
          endpoints: viewEndpoints(branch),
          operations: operations.map(viewOperation),
        },
      }
    },
  },
  {
    method: 'GET',
    path: /^\/projects\/([^/]+)\/branches\/([^/]+)$/,
    answer(call) {
      const branch = branchOf(projectOf(call), call.path[1])
      return ok({ branch: viewBranch(branch), annotation: viewAnnotation(branch)[0]?.[1] })
    },
  },
  {
    method: 'PATCH',
    path: /^\/projects\/([^/]+)\/branches\/([^/]+)$/,
    answer(call) {
      const project = projectOf(call)
      const branch = branchOf(project, call.path[1])
      const { branch: asked } = branchUpdate.parse(call.body)
      refuseExpiry(asked.expires_at ?? undefined)
      refuseLocked(call, project, branch)
      if (asked.name !== undefined) branch.name = asked.name
      if (asked.protected !== undefined) branch.isProtected = asked.protected
      if (asked.expires_at !== undefined) branch.expiresAt = asked.expires_at ?? undefined
      return ok({ branch: viewBranch(branch), operations: [] })
    },
  },
  {
    method: 'DELETE',
    path: /^\/projects\/([^/]+)\/branches\/([^/]+)$/,
    answer(call) {
      const project = projectOf(call)
      const branch = project.branches.get(call.path[1] ?? '')
      if (!branch) return { status: 204, body: undefined }
      if (branch.isDefault) throw new Refusal(422, 'cannot delete the default branch')
      if (branch.isProtected) throw new Refusal(422, 'cannot delete a protected branch')
      if ([...project.branches.values()].some(({ parentId }) => parentId === branch.id))
        throw new Refusal(422, 'cannot delete branch that has children')
      refuseLocked(call, project, branch)
      const operations = call.settings.state.deleteBranch(project, branch)
      return ok({ branch: viewBranch(branch), operations: operations.map(viewOperation) })
    },
  },
  {
    method: 'GET',
    path: /^\/projects\/([^/]+)\/branches\/([^/]+)\/endpoints$/,
    answer: (call) => ok({ endpoints: viewEndpoints(branchOf(projectOf(call), call.path[1])) }),
  },
  {
    method: 'GET',
    path: /^\/projects\/([^/]+)\/branches\/([^/]+)\/databases$/,
    answer(call) {
      const project = projectOf(call)
      branchOf(project, call.path[1])
      const own = { name: 'neondb', owner_name: project.role }
      return ok({ databases: [own, ...project.moreDatabases] })
    },
  },
  {
    method: 'GET',
    path: /^\/projects\/([^/]+)\/branches\/([^/]+)\/roles$/,
    answer(call) {
      const project = projectOf(call)
      branchOf(project, call.path[1])
      const own = { name: project.role, authentication_method: 'password', protected: false }
      return ok({ roles: [own, ...project.moreRoles] })
    },
  },
  {
    method: 'POST',
    path: /^\/projects\/([^/]+)\/endpoints$/,
    answer(call) {
      const project = projectOf(call)
      const { endpoint } = endpointCreation.parse(call.body)
      const branch = branchOf(project, endpoint.branch_id)
      if (branch.endpointId) throw new Refusal(409, 'read-write endpoint already exists')
      refuseLocked(call, project, branch)
      const operations = call.settings.state.createEndpoint(project, branch)
      return {
        status: 201,
        body: { endpoint: viewEndpoints(branch)[0], operations: operations.map(viewOperation) },
      }
    },
  },
  {
    method: 'GET',
    path: /^\/projects\/([^/]+)\/operations$/,
    answer(call) {
      const asked = z.strictObject(page).parse(call.query)
      const { operations } = projectOf(call)
      const { items, last } = cut(operations, asked, { ...call, usual: 100 })
      return ok({ operations: items.map(viewOperation), pagination: { cursor: last?.id ?? '' } })
    },
  },
  {
    method: 'GET',
    path: /^\/projects\/([^/]+)\/operations\/([^/]+)$/,
    answer(call) {
      const operation = projectOf(call).operations.find(({ id }) => id === call.path[1])
      if (!operation) throw new Refusal(404, 'operation not found')
      return ok({ operation: viewOperation(operation) })
    },
  },
  {
    method: 'GET',
    path: /^\/projects\/([^/]+)\/connection_uri$/,
    answer(call) {
      const project = projectOf(call)
      const asked = z
        .strictObject({
          branch_id: z.string(),
          database_name: z.string(),
          role_name: z.string(),
          pooled: z.enum(['true', 'false']).default('false'),
        })
        .parse(call.query)
      const branch = branchOf(project, asked.branch_id)
      if (!branch.endpointId) throw new Refusal(404, 'the branch has no endpoint')
      const secret = project.storesPasswords ? `:${project.password}` : ''
      const place = call.settings.addressOf(asked.pooled === 'true')
      return ok({ uri: `postgresql://${project.role}${secret}@${place}/${branch.database}` })
    },
  },
]

const endpointOptions = { type: z.enum(['read_write', 'read_only']) }
const branchCreation = z.strictObject({
  branch: z
    .strictObject({
      name: z.string().min(1).max(256),
      parent_id: z.string(),
      expires_at: timestamp,
      protected: z.boolean(),
    })
    .partial()
    .optional(),
  endpoints: z.array(z.strictObject(endpointOptions)).optional(),
  annotation_value: z.record(z.string(), z.string()).optional(),
})
const branchUpdate = z.strictObject({
  branch: z
    .strictObject({
      name: z.string().min(1).max(256),
      protected: z.boolean(),
      expires_at: timestamp.nullable(),
    })
    .partial(),
})
const endpointCreation = z.strictObject({
  endpoint: z.strictObject({ branch_id: z.string(), ...endpointOptions }),
})

class Refusal extends Error {
  readonly answer: FakeAnswer

  constructor(status: number, message: string, code = '') {
    super(message)
    this.answer = refusal(status, message, code)
  }
}

export function refusal(status: number, message: string, code = ''): FakeAnswer {
  return { status, body: { request_id: 'req_1', code, message } }
}

function ok(body: unknown): FakeAnswer {
  return { status: 200, body }
}

function projectOf({ settings, path }: RouteCall): FakeProject {
  const project = settings.state.projects.get(decodeURIComponent(path[0] ?? ''))
  if (!project) throw new Refusal(404, 'project not found')
  return project
}

function branchOf(project: FakeProject, id: string | undefined): FakeBranch {
  const branch = project.branches.get(id ?? '')
  if (!branch) throw new Refusal(404, 'branch not found')
  return branch
}

function defaultOf(project: FakeProject): FakeBranch {
  const branch = [...project.branches.values()].find(({ isDefault }) => isDefault)
  if (!branch) throw new Refusal(500, 'the project has no default branch')
  return branch
}

function refuseLocked({ settings }: RouteCall, project: FakeProject, branch: FakeBranch): void {
  const running = project.operations.some(
    ({ status, branchId }) =>
      (status === 'scheduling' || status === 'running') &&
      (settings.locks === 'project' || branchId === branch.id),
  )
  if (running)
    throw new Refusal(
      423,
      'project already has running conflicting operations, scheduling of new ones is prohibited',
    )
}

function refuseExpiry(text: string | undefined): void {
  if (text === undefined) return
  const inMs = Date.parse(text) - Date.now()
  if (inMs <= 0) throw new Refusal(400, 'expires_at must be in the future')
  if (inMs > MOST_TTL_MS) throw new Refusal(400, 'expires_at must be within 30 days')
}

/** What a column of the type jsonb cannot hold. */
function refuseUnstorable(annotation: Record<string, string> = {}): void {
  const texts = Object.entries(annotation).flat()
  if (texts.some((text) => text.includes('\0') || !text.isWellFormed()))
    throw new Refusal(500, 'unsupported Unicode escape sequence')
}

function cut<Item extends { readonly id: string }>(
  all: readonly Item[],
  { limit, cursor }: { limit?: number | undefined; cursor?: string | undefined },
  { settings, usual }: { settings: FakeSettings; usual: number },
): { items: Item[]; last: Item | undefined } {
  const start = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1
  const items = all.slice(start, start + Math.min(limit ?? usual, settings.largestPage))
  return { items, last: start + items.length < all.length ? items.at(-1) : undefined }
}

function viewBranch(branch: FakeBranch) {
  return {
    id: branch.id,
    name: branch.name,
    parent_id: branch.parentId,
    current_state: branch.state,
    default: branch.isDefault,
    protected: branch.isProtected,
    created_at: branch.createdAt.toISOString(),
    expires_at: branch.expiresAt,
    creation_source: 'console',
  }
}

function viewAnnotation({ id, annotation, createdAt }: FakeBranch) {
  if (!annotation) return []
  const created_at = createdAt.toISOString()
  return [[id, { object: { type: 'console/branch', id }, value: annotation, created_at }]] as const
}

function viewEndpoints({ id, endpointId }: FakeBranch) {
  if (endpointId === undefined) return []
  return [{ id: endpointId, branch_id: id, type: 'read_write', current_state: 'active' }]
}

function viewOperation({ id, branchId, action, status }: FakeOperation) {
  return { id, branch_id: branchId, action, status, failures_count: status === 'failed' ? 1 : 0 }
}
