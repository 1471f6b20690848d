import type { BranchRef } from '../../domain/branch-ref.ts'
import { ActionFailure } from '../../domain/failure.ts'
import type { Neon } from './client.ts'
import { databasesAnswer, type NeonBranch, rolesAnswer } from './neon-answers.ts'

export interface Login {
  readonly database: string
  readonly role: string
}

export interface LoginRequest {
  readonly project: string
  readonly ref: BranchRef
  readonly branch: NeonBranch
  readonly database: string | undefined
  readonly role: string | undefined
}

/**
 * Which database of the branch is given out, and as whom: the ones that are configured, else the only database there
 * is, and its owner. Never guesses between several, and never gives out a role that cannot log in.
 */
export async function chooseLogin(
  neon: Neon,
  request: LoginRequest,
  signal: AbortSignal,
): Promise<Login> {
  const { project, branch, ref } = request
  const [{ databases }, { roles }] = await Promise.all([
    neon.ask(
      {
        what: `the databases of ${ref.name}`,
        send: (api, params) => api.listProjectBranchDatabases(project, branch.id, params),
        answer: databasesAnswer,
      },
      signal,
    ),
    neon.ask(
      {
        what: `the roles of ${ref.name}`,
        send: (api, params) => api.listProjectBranchRoles(project, branch.id, params),
        answer: rolesAnswer,
      },
      signal,
    ),
  ])
  const database = request.database
    ? databases.find(({ name }) => name === request.database)
    : databases.length === 1
      ? databases[0]
      : undefined
  if (!database) throw databaseUnclear(request, databases)
  const wanted = request.role ?? database.owner_name
  const role = roles.find(({ name }) => name === wanted)
  if (!role) throw roleMissing(request, { wanted, roles })
  if (role.authentication_method === 'no_login') throw roleCannotLogIn(request, wanted)
  return { database: database.name, role: role.name }
}

function databaseUnclear(
  { ref, database }: LoginRequest,
  databases: readonly { name: string }[],
): ActionFailure {
  const there = databases.length === 0 ? 'none' : list(databases)
  return database
    ? new ActionFailure(
        'database_missing',
        `The branch ${ref.name} has no database named ${JSON.stringify(database)}, so there is nothing to connect to. It has: ${there}. Correct neon({ database }), and redeploy.`,
        { retryable: false },
      )
    : new ActionFailure(
        'database_unclear',
        `The branch ${ref.name} has not one database but these: ${there}. So it is not clear which one the deployment is to get. Say so by neon({ database }), and redeploy.`,
        { retryable: false },
      )
}

function roleMissing(
  { ref }: LoginRequest,
  { wanted, roles }: { wanted: string; roles: readonly { name: string }[] },
): ActionFailure {
  return new ActionFailure(
    'role_missing',
    `The branch ${ref.name} has no role named ${JSON.stringify(wanted)}, so nobody could log in. It has: ${list(roles)}. Correct neon({ role }), and redeploy.`,
    { retryable: false },
  )
}

function roleCannotLogIn({ ref }: LoginRequest, role: string): ActionFailure {
  return new ActionFailure(
    'role_cannot_log_in',
    `The role ${JSON.stringify(role)} of the branch ${ref.name} may not log in (NOLOGIN), so its address would be of no use. Name one that may by neon({ role }), and redeploy.`,
    { retryable: false },
  )
}

function list(named: readonly { name: string }[]): string {
  return named.map(({ name }) => JSON.stringify(name)).join(', ')
}
