import type { ResourceChange } from '../../src/domain/resource-change.ts'
import type { ResourceKey } from '../../src/domain/resource-key.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { InstallationStore, Resource } from '../../src/installations/store.ts'
import type { ResourceDoor, ResourceProgress } from '../../src/partner/resource-door.ts'
import type { DeclaredProduct } from '../../src/products/provision-resource.ts'

/** Stands in every secret of every resource. */
export const PASSWORD = 'hunter2'

export interface FakeResourceDoor extends ResourceDoor {
  /** What was asked for, in this order. */
  readonly asked: (
    | { readonly provision: ResourceKey }
    | { readonly change: ResourceChange; readonly of: ResourceKey }
    | { readonly remove: ResourceKey }
  )[]
  /** How far what is asked for comes. */
  progress: ResourceProgress
  /** What is thrown instead of an answer. */
  failure: Error | undefined
}

/** Does at once, in the store alone, what takes a provider and Temporal else. */
export function fakeResourceDoor(
  store: InstallationStore,
  products: ReadonlyMap<string, DeclaredProduct>,
): FakeResourceDoor {
  const stored = async ({ installationId, resourceId }: ResourceKey): Promise<Resource> => {
    const resource = await store.getResource(installationId, resourceId)
    if (!resource) throw new Error(`There is no ${resourceId}.`)
    return resource
  }
  const come = (): ResourceProgress => {
    if (door.failure) throw door.failure
    return door.progress
  }
  const door: FakeResourceDoor = {
    store,
    products,
    asked: [],
    progress: { kind: 'done' },
    failure: undefined,
    async provision(key) {
      door.asked.push({ provision: key })
      const progress = come()
      const resource = await stored(key)
      // The second time it is the same provisioning: what has been done since stays.
      if (progress.kind === 'done' && resource.status === 'pending') {
        await store.putResource({ ...resource, status: 'ready', reference: { generation: 1 } })
      }
      if (progress.kind === 'failed') await store.removeResource(key.installationId, key.resourceId)
      return progress
    },
    async change(key, change) {
      door.asked.push({ change, of: key })
      const progress = come()
      if (progress.kind !== 'done') return progress
      const resource = await stored(key)
      await store.putResource(
        change.kind === 'update'
          ? { ...resource, ...change.changes }
          : { ...resource, reference: { generation: change.rotationId } },
      )
      return progress
    },
    async remove(key) {
      door.asked.push({ remove: key })
      come()
      await store.removeResource(key.installationId, key.resourceId)
    },
    secretsOf({ reference }) {
      const { generation } = reference as { generation: unknown }
      const url = `postgres://app-${String(generation)}:${PASSWORD}@db.example.com/app`
      return Promise.resolve({ DATABASE_URL: new Secret(url) })
    },
  }
  return door
}
