import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { identifier, literal } from '../../../src/drivers/postgres/sql.ts'
import { dropSource, onDatabase, sql } from '../postgres-under-test.ts'

export interface FakeBranch {
  readonly id: string
  name: string
  readonly parentId: string | undefined
  state: 'init' | 'ready'
  isDefault: boolean
  isProtected: boolean
  readonly createdAt: Date
  expiresAt: string | undefined
  readonly annotation: Record<string, string> | undefined
  endpointId: string | undefined
  /** Its database at the real server. The API calls it `neondb`. */
  readonly database: string
  /** What Neon has begun to do on it, one after the other. */
  work: Promise<void>
}

export interface FakeOperation {
  readonly id: string
  readonly branchId: string
  readonly action: string
  status: 'scheduling' | 'running' | 'finished' | 'failed'
}

export interface FakeProject {
  readonly id: string
  /** Of the real server, as are the databases; all branches have it, as at Neon. */
  readonly role: string
  readonly password: string
  readonly branches: Map<string, FakeBranch>
  /** The newest first. */
  readonly operations: FakeOperation[]
  readonly databases: string[]
  branchesLimit: number
  /** More databases and roles than there are, as the API tells them. */
  readonly moreDatabases: { name: string; owner_name: string }[]
  readonly moreRoles: { name: string; authentication_method: string }[]
  storesPasswords: boolean
}

/** What Neon would hold, with a database of a real Postgres for each branch. */
export class FakeNeonState {
  readonly projects = new Map<string, FakeProject>()
  /** How long each operation takes at least. */
  operationMs = 10
  /** The next operations of these kinds do nothing and fail. */
  readonly failing: string[] = []
  readonly #serverUrl: string

  constructor(serverUrl: string) {
    this.#serverUrl = serverUrl
  }

  async makeProject(lines: readonly string[]): Promise<FakeProject> {
    const suffix = randomBytes(6).toString('hex')
    const project: FakeProject = {
      id: `shiny-wind-${suffix}`,
      role: `neon_owner_${suffix}`,
      password: randomBytes(12).toString('base64url'),
      branches: new Map(),
      operations: [],
      databases: [],
      branchesLimit: 0,
      moreDatabases: [],
      moreRoles: [],
      storesPasswords: true,
    }
    await sql(
      this.#serverUrl,
      `CREATE ROLE ${project.role} LOGIN PASSWORD ${literal(project.password)}`,
    )
    const main = this.#newBranch(project, { name: 'main' })
    await this.#createDatabase(project, main, undefined)
    const url = new URL(onDatabase(this.#serverUrl, main.database))
    url.username = project.role
    url.password = project.password
    const inserts = lines.map((line) => `INSERT INTO lines (line) VALUES (${literal(line)})`)
    const table = 'CREATE TABLE lines (id serial PRIMARY KEY, line text NOT NULL)'
    await sql(url.href, [table, ...inserts].join(';'))
    Object.assign(main, { state: 'ready', isDefault: true, endpointId: newId('ep') })
    this.projects.set(project.id, project)
    return project
  }

  async deleteProject(id: string): Promise<void> {
    const project = this.projects.get(id)
    if (!project) return
    this.projects.delete(id)
    await Promise.all([...project.branches.values()].map(async ({ work }) => work))
    for (const database of project.databases) await dropSource(this.#serverUrl, database)
    await sql(this.#serverUrl, `DROP ROLE ${project.role}`)
  }

  createBranch(
    project: FakeProject,
    made: Pick<FakeBranch, 'name' | 'annotation' | 'expiresAt'> & {
      parent: FakeBranch
      hasEndpoint: boolean
    },
  ): { branch: FakeBranch; operations: FakeOperation[] } {
    const { parent, hasEndpoint, ...rest } = made
    const branch = this.#newBranch(project, { ...rest, parentId: parent.id })
    const operations = [
      this.operate(project, branch, 'create_branch', async () => {
        await this.#createDatabase(project, branch, parent)
        branch.state = 'ready'
      }),
      ...(hasEndpoint ? this.createEndpoint(project, branch) : []),
    ]
    return { branch, operations }
  }

  createEndpoint(project: FakeProject, branch: FakeBranch): FakeOperation[] {
    branch.endpointId = newId('ep')
    return [this.operate(project, branch, 'start_compute')]
  }

  deleteBranch(project: FakeProject, branch: FakeBranch): FakeOperation[] {
    project.branches.delete(branch.id)
    const drop = () => dropSource(this.#serverUrl, branch.database)
    return [
      this.operate(project, branch, 'suspend_compute'),
      this.operate(project, branch, 'delete_timeline', drop),
    ]
  }

  operate(
    project: FakeProject,
    branch: FakeBranch,
    action: string,
    work = async () => {},
  ): FakeOperation {
    const operation: FakeOperation = {
      id: randomUUID(),
      branchId: branch.id,
      action,
      status: 'scheduling',
    }
    project.operations.unshift(operation)
    branch.work = branch.work.then(async () => {
      operation.status = 'running'
      await sleep(this.operationMs)
      const index = this.failing.indexOf(action)
      if (index >= 0) this.failing.splice(index, 1)
      operation.status = await (index >= 0 ? Promise.reject(new Error('told to')) : work()).then(
        () => 'finished' as const,
        () => 'failed' as const,
      )
    })
    return operation
  }

  #newBranch(project: FakeProject, of: Pick<FakeBranch, 'name'> & Partial<FakeBranch>): FakeBranch {
    const branch: FakeBranch = {
      id: newId('br'),
      parentId: undefined,
      state: 'init',
      isDefault: false,
      isProtected: false,
      createdAt: new Date(),
      expiresAt: undefined,
      annotation: undefined,
      endpointId: undefined,
      database: `neon_${randomBytes(8).toString('hex')}`,
      work: Promise.resolve(),
      ...of,
    }
    project.branches.set(branch.id, branch)
    return branch
  }

  async #createDatabase(
    project: FakeProject,
    branch: FakeBranch,
    parent: FakeBranch | undefined,
  ): Promise<void> {
    project.databases.push(branch.database)
    const template = parent ? ` TEMPLATE ${identifier(parent.database)}` : ''
    await sql(
      this.#serverUrl,
      `CREATE DATABASE ${identifier(branch.database)} OWNER ${project.role}${template}`,
    )
  }
}

function newId(prefix: string): string {
  return `${prefix}-${randomBytes(8).toString('hex')}`
}
