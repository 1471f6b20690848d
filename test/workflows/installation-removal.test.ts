import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ProvisionedObject } from '../../src/actions/define-action.ts'
import { removeInstallation } from '../../src/dispatch/remove-installation.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import { Secret } from '../../src/domain/secret.ts'
import { memoryStore } from '../../src/installations/memory-store.ts'
import type { InstallationStore } from '../../src/installations/store.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { branchAction, type BranchProvider, branchProvider, holdStep } from './branch-provider.ts'
import { type HeldBuilds, holdBuilds } from './hold-builds.ts'

// On a real server, as the time-skipping one lists no runs.

let environment: TemporalEnvironment
let provider: BranchProvider
let store: InstallationStore
let builds: HeldBuilds

beforeAll(async () => {
  environment = await devServerEnvironment()
})
afterAll(() => environment.teardown())
beforeEach(async () => {
  provider = branchProvider()
  store = memoryStore()
  builds = await holdBuilds(
    environment,
    { branch: branchAction(provider) },
    { installations: store },
  )
  await store.putInstallation(
    { id: installationId(), scopes: [], acceptedPolicies: {}, state: 'active' },
    new Secret('token'),
  )
})
afterEach(() => builds.close())

const installationId = () => builds.vercel.installation.id

const begin = () =>
  removeInstallation(
    { workflows: environment.client.workflow, taskQueue: builds.taskQueue },
    { installationId: installationId(), because: 'The customer uninstalled.' },
  )

/** Something at the provider that no run of this test made. */
function place(name: string, of: Pick<ProvisionedObject, 'owner' | 'resource'>): void {
  provider.branches.add(name)
  const holdpoint = 'holdpoint for tests'
  provider.listed.set(name, { name, complete: true, holdpoint, expiresAtMs: Infinity, ...of })
}

const resourceOf = (id: string) => ({ installationId: id, resourceId: 'db/42 %' })

async function released(): Promise<string> {
  const { id } = builds.deploy()
  await builds.vercel.until(id, ({ readyState }) => readyState === 'READY')
  await builds.ended({ id })
  return id
}

test('what was released, what is held and what nobody claims goes, and nothing of another installation', async () => {
  const kept = await released()
  place('of nobody any more', { resource: resourceOf(installationId()) })
  place('of another installation', {
    owner: { ...builds.keyOf({ id: kept }), installationId: 'icfg_other' },
  })
  place('of nobody any more, of another installation', { resource: resourceOf('icfg_other') })
  const step = holdStep(provider, 'after', 'create')
  const held = builds.deploy()
  await step.reached
  const known: unknown[] = []
  provider.before = async (name) => {
    if (name === 'destroy') known.push(await store.getInstallation(installationId()))
  }

  await (await begin()).result()

  expect([...provider.branches].sort()).toEqual([
    'of another installation',
    'of nobody any more, of another installation',
  ])
  expect(await builds.ended(held)).toMatchObject({ status: 'CANCELLED' })
  expect(await store.getInstallation(installationId())).toBeUndefined()
  expect(await store.accessToken(installationId())).toBeUndefined()
  // It was known, and closed, for as long as anything of it was left.
  expect(known.length).toBeGreaterThanOrEqual(2)
  for (const each of known) expect(each).toMatchObject({ state: 'removing' })
}, 60_000)

test('a provider that fails for a while is asked until nothing is left', async () => {
  await released()
  const list = provider.listed
  let failures = 3
  provider.before = (name) => {
    if (name !== 'destroy' || failures-- <= 0) return Promise.resolve()
    throw new ActionFailure('busy', 'The provider is busy.', { retryable: true })
  }
  await (await begin()).result()
  expect(list.size).toBe(1)
  expect(provider.branches.size).toBe(0)
  expect(failures).toBeLessThan(0)
}, 60_000)

test('asked for twice it is one removal, and asked for again it finds nothing', async () => {
  await released()
  const [one, other] = await Promise.all([begin(), begin()])
  const [{ runId }, { runId: otherRunId }] = [await one.describe(), await other.describe()]
  expect(otherRunId).toBe(runId)
  await one.result()
  const destroyed = provider.calls.filter((call) => call === 'destroy done').length
  const again = await begin()
  await again.result()
  expect((await again.describe()).runId).not.toBe(runId)
  expect(provider.calls.filter((call) => call === 'destroy done')).toHaveLength(destroyed)
}, 60_000)
