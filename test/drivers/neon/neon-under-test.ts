import type pg from 'pg'
import { neon, type NeonOptions } from '../../../src/drivers/neon/driver.ts'
import type { DriverUnderTest } from '../../../src/testing/driver-under-test.ts'
import { connect, sql } from '../postgres-under-test.ts'
import { API_KEY, type FakeNeon } from './fake-neon.ts'

export function neonAt(fake: { url: string }, options: Partial<NeonOptions> = {}) {
  return neon({ apiKey: API_KEY, baseUrl: fake.url, ...options })
}

export function neonUnderTest(fake: FakeNeon): DriverUnderTest {
  const { state } = fake
  const driver = neonAt(fake)
  const connections: pg.Client[] = []
  /** Where the cases of the contract make their branches. */
  const sharedProject = () => {
    const [project] = state.projects.values()
    if (!project) throw new Error('there is no project yet')
    return project
  }
  return {
    driver,
    branchesLiveInside: true,
    makeSource: async (lines) => (await state.makeProject(lines)).id,
    deleteSource: (source) => state.deleteProject(source),
    async readLines(connection) {
      const rows = await sql<{ line: string }>(
        connection.url.reveal(),
        'SELECT line FROM lines ORDER BY id',
      )
      return rows.map(({ line }) => line)
    },
    async addLine(connection, line) {
      await sql(connection.url.reveal(), 'INSERT INTO lines (line) VALUES ($1)', [line])
    },
    async stayConnected(connection) {
      connections.push(await connect(connection.url.reveal()))
    },
    async remains(name) {
      return [...state.projects.values()].flatMap(({ branches }) =>
        [...branches.values()].filter((branch) => branch.name === name).map(({ id }) => id),
      )
    },
    async makeLookalike(name, words) {
      const project = sharedProject()
      const parent = [...project.branches.values()].find(({ isDefault }) => isDefault)
      if (!parent) throw new Error('the project has no default branch')
      const annotation = words === undefined ? undefined : { holdpoint: words }
      const lookalike = { name, parent, annotation, expiresAt: undefined, hasEndpoint: true }
      const { branch } = state.createBranch(project, lookalike)
      return async () => {
        await branch.work
        state.deleteBranch(project, branch)
        await branch.work
      }
    },
    async loseAnswer(nth, act) {
      const door = await fake.openLossyDoor(nth)
      const lossy = neonAt(door)
      try {
        await act(lossy)
        return door.hasLost()
      } finally {
        await lossy.close()
        await door.close()
      }
    },
    async close() {
      await driver.close()
      for (const connection of connections) await connection.end().catch(() => {})
      await fake.close()
    },
  }
}
