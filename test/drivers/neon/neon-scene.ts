import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import type { ActionKey } from '../../../src/domain/action-key.ts'
import { type BranchRef, branchRef } from '../../../src/domain/branch-ref.ts'
import type { NeonOptions } from '../../../src/drivers/neon/driver.ts'
import type { ResourceDriver } from '../../../src/drivers/driver.ts'
import { driverCall } from '../../../src/testing/driver-call.ts'
import {
  closeConnections,
  embeddedServerUrl,
  keepConnections,
  sql,
} from '../postgres-under-test.ts'
import { type FakeNeon, startFakeNeon } from './fake-neon.ts'
import type { FakeBranch, FakeProject } from './fake-neon-state.ts'
import { neonAt } from './neon-under-test.ts'

export const LINES = ['one', 'two']

/** A fake Neon for the tests of a file; each takes a project of its own. */
export function useFakeNeon(): () => FakeNeon {
  let fake: FakeNeon
  beforeAll(async () => {
    keepConnections(embeddedServerUrl())
    fake = await startFakeNeon(embeddedServerUrl())
  })
  afterAll(async () => {
    await fake.close()
    await closeConnections()
  })
  return () => fake
}

/** A project with two lines, a driver for it, and the branch of some deployment of it. */
export interface NeonScene {
  readonly project: FakeProject
  readonly driver: ResourceDriver
  readonly ref: BranchRef<ActionKey>
  readonly newRef: () => BranchRef<ActionKey>
  readonly create: (ref?: BranchRef) => Promise<void>
  readonly lines: (ref?: BranchRef) => Promise<string[]>
  /** What Neon has under the name. */
  readonly branch: (ref?: BranchRef) => FakeBranch
  /** The method and path of the requests that changed something in the project. */
  readonly changes: () => string[]
}

export async function neonScene(
  fake: FakeNeon,
  options: Partial<NeonOptions> = {},
): Promise<NeonScene> {
  const project = await fake.state.makeProject(LINES)
  const driver = neonAt(fake, options)
  onTestFinished(async () => {
    await driver.close()
    await fake.state.deleteProject(project.id)
  })
  const newRef = () =>
    branchRef({
      installationId: 'icfg_1',
      resourceId: project.id,
      deploymentId: `dpl_${randomUUID()}`,
      action: 'branch',
    })
  const ref = newRef()
  return {
    project,
    driver,
    ref,
    newRef,
    create: (of = ref) => driver.createBranch({ source: project.id, ref: of }, driverCall()),
    async lines(of = ref) {
      const { url } = await driver.openBranch(of, driverCall())
      const rows = await sql<{ line: string }>(url.reveal(), 'SELECT line FROM lines ORDER BY id')
      return rows.map(({ line }) => line)
    },
    branch(of = ref) {
      const found = [...project.branches.values()].find(({ name }) => name === of.name)
      if (!found) throw new Error(`Neon has no branch ${of.name}`)
      return found
    },
    changes: () =>
      fake
        .heard()
        .map(({ line }) => line)
        .filter((line) => !line.startsWith('GET ') && line.includes(`/projects/${project.id}/`)),
  }
}

/** The default branch of a project. */
export function mainOf({ branches }: FakeProject): FakeBranch {
  const main = [...branches.values()].find(({ isDefault }) => isDefault)
  if (!main) throw new Error('the project has no default branch')
  return main
}

/** A branch that somebody made by hand. */
export async function branchByHand(
  fake: FakeNeon,
  project: FakeProject,
  { name, parent = mainOf(project) }: { name: string; parent?: FakeBranch },
): Promise<FakeBranch> {
  const made = { name, parent, annotation: undefined, expiresAt: undefined, hasEndpoint: true }
  const { branch } = fake.state.createBranch(project, made)
  await branch.work
  return branch
}
