import { readInstallation } from './install.ts'
import type { Installation } from './project.ts'
import type { Resource } from './resource.ts'
import type { ResourceSurroundings } from './resource-surroundings.ts'
import { readResource } from './update-resource.ts'

/** Asks the provider for its state in the background, as Vercel does once it was told that something changed. */
export function createReader(surroundings: ResourceSurroundings) {
  const underway = new Set<Promise<void>>()
  return {
    readAgain(installation: Installation, resource?: Resource): void {
      if (surroundings.partnerUrl() === undefined) return
      const reading = resource
        ? readResource(resource, surroundings)
        : readInstallation(surroundings, installation)
      // What is wrong with an answer stands in its record.
      const read = reading.catch(() => undefined).finally(() => underway.delete(read))
      underway.add(read)
    },
    /** Resolves when nothing is under way any more. */
    async close(): Promise<void> {
      await Promise.all(underway)
    },
  }
}
