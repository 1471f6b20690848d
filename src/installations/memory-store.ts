import type { Secret } from '../domain/secret.ts'
import { installationUnknown, resourceForeign } from './describe-store-error.ts'
import type {
  IdempotentRequest,
  Installation,
  InstallationStore,
  Resource,
  StoredAnswer,
  TransferRequest,
} from './store.ts'

interface KeptAnswer {
  readonly fingerprint: string
  readonly answer: StoredAnswer | undefined
  readonly expiresAtMs: number
}

/** An installation store that forgets everything with its process: for tests, and for a local Vercel, which forgets as well. */
export function memoryStore({ answersForMs = 24 * 3_600_000 } = {}): InstallationStore {
  const installations = new Map<string, Installation>()
  const tokens = new Map<string, Secret>()
  const resources = new Map<string, Resource>()
  const answers = new Map<string, KeptAnswer>()
  const transfers = new Map<string, TransferRequest>()
  /** Who accepted a transfer, by its claim. */
  const acceptedBy = new Map<string, string>()

  const answerId = ({ installationId, key }: IdempotentRequest) =>
    JSON.stringify([installationId, key])
  const isActive = (id: string) => installations.get(id)?.state === 'active'
  const resourcesOf = (installationId: string) =>
    sortedById([...resources.values()].filter((each) => each.installationId === installationId))

  return {
    async prepare() {},

    async putInstallation(installation, accessToken) {
      const { id } = installation
      const state = installations.get(id)?.state === 'removing' ? 'removing' : installation.state
      installations.set(id, copy({ ...installation, state }))
      if (accessToken) tokens.set(id, accessToken)
    },

    getInstallation: async (id) => copy(installations.get(id)),
    listInstallations: async () => copy(sortedById([...installations.values()])),

    async updateInstallation(id, changes) {
      const known = installations.get(id)
      if (!known) return false
      const given = Object.entries(changes).filter(([, value]) => value !== undefined)
      installations.set(id, { ...known, ...Object.fromEntries(given) })
      return true
    },

    async removeInstallation(id) {
      for (const resource of resourcesOf(id)) resources.delete(resource.id)
      for (const [claimId, transfer] of transfers)
        if (transfer.fromInstallationId === id) transfers.delete(claimId)
      for (const key of answers.keys())
        if ((JSON.parse(key) as string[])[0] === id) answers.delete(key)
      tokens.delete(id)
      installations.delete(id)
    },

    accessToken: async (id) => tokens.get(id),

    async replaceAccessToken(id, accessToken) {
      if (!installations.has(id)) return false
      tokens.set(id, accessToken)
      return true
    },

    async addResource(resource) {
      if (resources.has(resource.id)) return false
      await this.putResource(resource)
      return true
    },

    async putResource(resource) {
      const { id, installationId } = resource
      if ((resources.get(id)?.installationId ?? installationId) !== installationId)
        throw resourceForeign(resource)
      if (!installations.has(installationId))
        throw installationUnknown(`the resource ${id} is not stored`)
      resources.set(id, copy(resource))
    },

    async getResource(installationId, resourceId) {
      const known = resources.get(resourceId)
      return known?.installationId === installationId ? copy(known) : undefined
    },

    findResource: async (resourceId) => copy(resources.get(resourceId)),

    listResources: async (installationId) => copy(resourcesOf(installationId)),

    async removeResource(installationId, resourceId) {
      if (resources.get(resourceId)?.installationId === installationId) resources.delete(resourceId)
    },

    async recallAnswer(request) {
      const { fingerprint } = request
      const known = answers.get(answerId(request))
      if (!known || known.expiresAtMs <= Date.now()) {
        const expiresAtMs = Date.now() + answersForMs
        answers.set(answerId(request), { fingerprint, answer: undefined, expiresAtMs })
        return { kind: 'new' }
      }
      if (known.fingerprint !== fingerprint) return { kind: 'other-request' }
      return known.answer ? { kind: 'answered', answer: known.answer } : { kind: 'new' }
    },

    async rememberAnswer(request, answer) {
      const known = answers.get(answerId(request))
      if (known?.fingerprint !== request.fingerprint || known.answer) return
      answers.set(answerId(request), { ...known, answer })
    },

    async putTransferRequest(request) {
      if (!installations.has(request.fromInstallationId))
        throw installationUnknown('the transfer is not offered')
      if (!transfers.has(request.claimId)) transfers.set(request.claimId, copy(request))
    },

    getTransferRequest: async (claimId) =>
      acceptedBy.has(claimId) ? undefined : copy(transfers.get(claimId)),

    async acceptTransferRequest(claimId, toInstallationId, nowMs) {
      const claim = transfers.get(claimId)
      if (!claim) return false
      if (acceptedBy.has(claimId)) return acceptedBy.get(claimId) === toInstallationId
      if (claim.expiresAtMs <= nowMs || !isActive(claim.fromInstallationId)) return false
      if (!isActive(toInstallationId))
        throw installationUnknown(`the transfer ${claimId} is not accepted`)
      for (const resource of resourcesOf(claim.fromInstallationId)) {
        if (!claim.resourceIds.includes(resource.id)) continue
        resources.set(resource.id, { ...resource, installationId: toInstallationId })
      }
      acceptedBy.set(claimId, toInstallationId)
      return true
    },

    check: async () => [
      {
        subject: 'Installation store',
        level: 'warning',
        message: 'kept in memory, so every installation is forgotten when this process ends',
        fix: 'set HOLDPOINT_DATABASE_URL for anything but tests',
      },
    ],

    async close() {},
  }
}

// As through a database: what is handed out or changed afterwards is not what is kept.
function copy<Value>(value: Value): Value {
  return structuredClone(value)
}

function sortedById<Value extends { readonly id: string }>(values: Value[]): Value[] {
  return values.sort((a, b) => (a.id < b.id ? -1 : 1))
}
