import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import { Secret } from '../../domain/secret.ts'
import type { BranchConnection, DriverCall } from '../driver.ts'
import { parseServerUrl } from '../postgres/server-address.ts'
import { chooseLogin, type Login } from './choose-login.ts'
import type { Neon } from './client.ts'
import { findBranch } from './find-branch.ts'
import { isReady, type NeonBranch, uriAnswer } from './neon-answers.ts'
import { isMissing } from './neon-error.ts'
import { isProjectId } from './project-id.ts'
import { proveLogin } from './prove-login.ts'

export interface OpenRequest {
  readonly project: string
  readonly ref: BranchRef
  readonly database: string | undefined
  readonly role: string | undefined
  /** Whether the way through Neon's pooler is asked for too. */
  readonly pooled: boolean
}

/** Verifies owner and completeness, gets the connection strings as Neon writes them, and logs in with each. */
export async function openBranch(
  neon: Neon,
  request: OpenRequest,
  call: DriverCall,
): Promise<BranchConnection> {
  const branch = await requireReady(neon, request, call.signal)
  const login = await chooseLogin(neon, { ...request, branch }, call.signal)
  const uri = (pooled: boolean) =>
    connectionUri(neon, { ...request, branch, login, pooled }, call.signal)
  const [direct, pooled] = await Promise.all([uri(false), request.pooled ? uri(true) : undefined])
  const address = readUri(direct, request)
  await proveLogin(address, request, call)
  if (pooled) await proveLogin(readUri(pooled, request), request, call)
  const { host, port, user, password, database } = address
  return {
    url: new Secret(direct),
    ...(pooled && { pooledUrl: new Secret(pooled) }),
    host,
    port,
    user,
    password,
    database,
  }
}

async function requireReady(
  neon: Neon,
  { project, ref }: OpenRequest,
  signal: AbortSignal,
): Promise<NeonBranch> {
  if (!isProjectId(project)) throw branchMissing(ref)
  let branch: NeonBranch | undefined
  try {
    branch = await findBranch(neon, { project, ref }, signal)
  } catch (error) {
    throw isMissing(error) ? branchMissing(ref) : error
  }
  if (!branch) throw branchMissing(ref)
  if (isReady(branch)) return branch
  throw new ActionFailure(
    'branch_incomplete',
    `Neon is not done with the branch ${ref.name} (${branch.current_state}), so its address is not given out. It is tried again; if that goes on, Neon's console shows what it is at.`,
    { retryable: true },
  )
}

async function connectionUri(
  neon: Neon,
  {
    project,
    ref,
    branch,
    login,
    pooled,
  }: Pick<OpenRequest, 'project' | 'ref' | 'pooled'> & { branch: NeonBranch; login: Login },
  signal: AbortSignal,
): Promise<string> {
  const query = {
    projectId: project,
    branch_id: branch.id,
    database_name: login.database,
    role_name: login.role,
    pooled,
  }
  const { uri } = await neon.ask(
    {
      what: `the connection string of ${ref.name}`,
      send: (api, params) => api.getConnectionUri(query, params),
      answer: uriAnswer,
    },
    signal,
  )
  return uri
}

// The errors of whoever reads a URL quote it, with its password: none of them is passed on.
function readUri(uri: string, { ref, project }: OpenRequest) {
  const { password } = URL.canParse(uri) ? new URL(uri) : { password: '' }
  if (password !== '') return parseServerUrl(uri)
  throw new ActionFailure(
    'password_unknown',
    `Neon's connection string for the branch ${ref.name} has no password, so nobody could log in with it. Let the project ${project} store the passwords of its roles (its setting store_passwords), and redeploy.`,
    { retryable: false },
  )
}

function branchMissing({ name }: BranchRef): ActionFailure {
  return new ActionFailure(
    'branch_missing',
    `There is no branch ${name} at Neon, so it cannot be opened: it was never created, has expired or is deleted already. Redeploy to get a new one.`,
    { retryable: false },
  )
}
