import type { ResourceChange } from '../domain/resource-change.ts'
import type { ResourceKey } from '../domain/resource-key.ts'
import type { ResourceProgress } from '../domain/resource-progress.ts'
import type { Secret } from '../domain/secret.ts'
import type { InstallationStore, Resource } from '../installations/store.ts'
import type { DeclaredProduct } from '../products/provision-resource.ts'

export type { ResourceProgress }

/** What the routes of resources need. Each call resolves once Temporal has the work, whatever happens to this process. */
export interface ResourceDoor {
  readonly store: InstallationStore
  readonly products: ReadonlyMap<string, DeclaredProduct>
  /**
   * Has a resource provisioned that the store has as `pending`. The second time it is the same provisioning, and its end.
   * When it is `done` the store has it as `ready`, when it `failed` the store does not have it any more.
   */
  readonly provision: (key: ResourceKey) => Promise<ResourceProgress>
  /** Has it changed. When it is `done` the store has the change. The same rotation is the same the second time. */
  readonly change: (key: ResourceKey, change: ResourceChange) => Promise<ResourceProgress>
  /** Has all of it taken back, with every branch; the store does not have it any more in the end. */
  readonly remove: (key: ResourceKey, because: string) => Promise<void>
  /** The variables that its projects get now. Throws an `ActionFailure`. */
  readonly secretsOf: (resource: Resource) => Promise<Record<string, Secret>>
}
