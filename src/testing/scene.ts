import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ActionKey } from '../domain/action-key.ts'
import { type BranchRef, branchRef, isOwn, sharedBranchRef } from '../domain/branch-ref.ts'
import type { GitBranchKey } from '../domain/branch-ref.ts'
import type {
  BranchConnection,
  BranchRecord,
  BranchSharing,
  ResourceDriver,
} from '../drivers/driver.ts'
import { driverCall } from './driver-call.ts'
import type { DriverUnderTest } from './driver-under-test.ts'

/** What every shared source holds. */
export const LINES = ['one', 'two']

/** What a case of the contract works with; whatever it makes of branches is deleted when it ends. */
export interface Scene {
  readonly subject: DriverUnderTest
  readonly driver: ResourceDriver
  readonly sharing: BranchSharing
  /** A resource with two lines that all cases share, so none changes or deletes it. */
  readonly source: string
  newRef(changes?: Partial<ActionKey>): BranchRef<ActionKey>
  newSharedRef(changes?: Partial<GitBranchKey>): BranchRef<GitBranchKey>
  create(ref: BranchRef, source?: string): Promise<void>
  claim(ref: BranchRef, deploymentId: string, onPush?: 'reuse' | 'reset'): Promise<void>
  release(ref: BranchRef, deploymentId: string): Promise<void>
  deleteUnclaimed(ref: BranchRef, unclaimedForMs: number): Promise<boolean>
  open(ref: BranchRef): Promise<BranchConnection>
  lines(ref: BranchRef): Promise<string[]>
  addLine(ref: BranchRef, line: string): Promise<void>
  /** What the list tells of the branch. */
  record(ref: BranchRef): Promise<BranchRecord | undefined>
  /** The deployments whose claims the list tells, sorted. */
  claims(ref: BranchRef): Promise<string[] | undefined>
}

/** Does a case with a scene of its own, and deletes what it made. */
export async function inScene(
  subject: DriverUnderTest,
  act: (scene: Scene) => Promise<void>,
): Promise<void> {
  const { driver } = subject
  const source = await sharedSource(subject)
  const made: BranchRef[] = []
  const sharing = (): BranchSharing => {
    assert(driver.sharing, 'the driver shares no branches')
    return driver.sharing
  }
  const keep = <Ref extends BranchRef>(ref: Ref): Ref => {
    made.push(ref)
    return ref
  }
  const scene: Scene = {
    subject,
    driver,
    source,
    get sharing() {
      return sharing()
    },
    newRef: (changes) => keep(branchRef({ ...someAction(source), ...changes })),
    newSharedRef: (changes) => keep(sharedBranchRef({ ...someGitBranch(source), ...changes })),
    create: async (ref, from = source) => driver.createBranch({ source: from, ref }, driverCall()),
    claim: async (ref, deploymentId, onPush = 'reuse') =>
      sharing().claimBranch({ source, ref, deploymentId, onPush }, driverCall()),
    release: async (ref, deploymentId) =>
      sharing().releaseClaim({ ref, deploymentId }, driverCall()),
    deleteUnclaimed: async (ref, unclaimedForMs) =>
      sharing().deleteUnclaimed({ ref, unclaimedForMs }, driverCall()),
    open: async (ref) => driver.openBranch(ref, driverCall()),
    lines: async (ref) => subject.readLines(await scene.open(ref)),
    addLine: async (ref, line) => subject.addLine(await scene.open(ref), line),
    record: async (ref) =>
      (await driver.listBranches(driverCall())).find((record) => record.ref.name === ref.name),
    claims: async (ref) =>
      (await scene.record(ref))?.claims?.map(({ deploymentId }) => deploymentId).sort(),
  }
  try {
    await act(scene)
  } finally {
    await Promise.allSettled(made.map(async (ref) => remove(scene, ref)))
  }
}

const sources = new WeakMap<DriverUnderTest, Promise<string>>()

async function sharedSource(subject: DriverUnderTest): Promise<string> {
  const source = sources.get(subject) ?? subject.makeSource(LINES)
  sources.set(subject, source)
  return await source
}

function someAction(resourceId: string): ActionKey {
  const deploymentId = `dpl_${randomUUID()}`
  return { installationId: 'icfg_1', resourceId, deploymentId, action: 'branch' }
}

function someGitBranch(resourceId: string): GitBranchKey {
  const gitBranch = `feature/${randomUUID()}`
  return { installationId: 'icfg_1', resourceId, projectId: 'prj_1', gitBranch, action: 'branch' }
}

async function remove(scene: Scene, ref: BranchRef): Promise<void> {
  if (isOwn(ref)) return await scene.driver.deleteBranch(ref, driverCall())
  const claims = (await scene.record(ref))?.claims ?? []
  for (const { deploymentId } of claims) await scene.release(ref, deploymentId)
  await scene.deleteUnclaimed(ref, 0)
}

/** A branch that dpl_1 claimed and wrote to. */
export async function inUse(scene: Scene) {
  const ref = scene.newSharedRef()
  await scene.claim(ref, 'dpl_1')
  await scene.addLine(ref, 'of dpl_1')
  return ref
}
