import { sharedBranchRef } from '../../src/domain/branch-ref.ts'
import { postgres } from '../../src/index.ts'
import type { DeploymentSnapshot, Simulator } from '../../src/simulator/index.ts'
import { driverCall } from '../../src/testing/driver-call.ts'

export interface SharedBranches {
  readonly violations: string[]
  /** Those that somebody needs. */
  readonly names: ReadonlySet<string>
}

/**
 * Looks at the branches that deployments share: who was released and is there has a claim, and nobody else. Has those
 * destroyed that nobody claims, as the reconciliation does after their time.
 */
export async function checkShared({
  vercel,
  postgresUrl,
}: {
  readonly vercel: Simulator
  readonly postgresUrl: string
}): Promise<SharedBranches> {
  const driver = postgres({ server: postgresUrl })
  try {
    const violations: string[] = []
    const needed = claimsByName(vercel)
    const list = async () => {
      const records = await driver.listBranches(driverCall())
      return records.filter(
        ({ ref, claims }) => claims && ref.owner.installationId === vercel.installation.id,
      )
    }
    for (const { ref, claims = [], complete } of await list()) {
      const wrong = (text: string) => violations.push(`the shared ${ref.name}: ${text}`)
      const wanted = needed.get(ref.name) ?? []
      const found = claims.map(({ deploymentId }) => deploymentId)
      for (const id of found.filter((id) => !wanted.includes(id))) wrong(`${id} has a claim still`)
      for (const id of wanted.filter((id) => !found.includes(id))) wrong(`${id} has no claim`)
      if (wanted.length > 0 && !complete) wrong('it is needed, and not complete')
      if (found.length > 0) continue
      const gone = await driver.sharing?.deleteUnclaimed({ ref, unclaimedForMs: 0 }, driverCall())
      if (gone !== true) wrong('nobody needs it, and it stays')
    }
    const left = new Set((await list()).map(({ ref }) => ref.name))
    for (const name of needed.keys())
      if (!left.has(name)) violations.push(`the shared ${name} is needed, and not there`)
    return { violations, names: new Set(needed.keys()) }
  } finally {
    await driver.close()
  }
}

/** The deployments that need each shared branch. */
function claimsByName(vercel: Simulator): Map<string, string[]> {
  const claims = new Map<string, string[]>()
  for (const deployment of vercel.deployments()) {
    if (deployment.canceledAt !== undefined || deployment.deletedAt !== undefined) continue
    for (const name of sharedNames(deployment))
      claims.set(name, [...(claims.get(name) ?? []), deployment.id])
  }
  return claims
}

function sharedNames({
  installationId,
  projectId,
  gitBranch = '',
  actions,
}: DeploymentSnapshot): string[] {
  return actions
    .filter(({ slug, status }) => slug === 'shared' && status === 'succeeded')
    .map(({ resourceId, slug: action }) => {
      const owner = { installationId, resourceId, projectId, gitBranch, action }
      return sharedBranchRef(owner).name
    })
}
