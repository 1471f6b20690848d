import { Hono } from 'hono'
import { Secret } from '../../src/domain/secret.ts'
import { memoryStore } from '../../src/installations/memory-store.ts'
import type { Installation, InstallationStore, Resource } from '../../src/installations/store.ts'
import { jsonLog } from '../../src/log.ts'
import { partnerApp } from '../../src/partner/partner-app.ts'
import { oidcVerifier } from '../../src/partner/verify-oidc.ts'
import { type FakeResourceDoor, fakeResourceDoor } from './fake-resource-door.ts'
import { AUDIENCE, type OidcIssuer } from './oidc-issuer.ts'
import { productsUnderTest, type ProductsUnderTest } from './products-under-test.ts'

export interface Call {
  readonly token?: string
  /** A text goes as it is, anything else as JSON. */
  readonly body?: unknown
  /** The `Idempotency-Key`. */
  readonly key?: string
}

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  /** Set where the answer to an earlier request is given again. */
  readonly replayed?: true
}

export interface PartnerUnderTest {
  readonly app: ReturnType<typeof partnerApp>
  readonly store: InstallationStore
  readonly door: FakeResourceDoor
  readonly plans: ProductsUnderTest
  /** The removals that were begun, and how the next one is answered. */
  readonly removals: string[]
  removal: { finished: boolean }
  /** What the provider says to a removal. */
  refusal: string | undefined
  readonly logged: () => string
  /** Has an installation known, with its token. */
  installed(id: string, changes?: Partial<Installation>): Promise<void>
  /** Has a resource known, which is provisioned. */
  stored(installationId: string, id: string, changes?: Partial<Resource>): Promise<Resource>
  /** Calls a route with a token; answers status and body. */
  call(method: string, path: string, request: Call): Promise<Answer>
}

/** The partner API with all its parts, but for what is done at providers. */
export function partnerUnderTest(
  issuer: OidcIssuer,
  { store = memoryStore() }: { readonly store?: InstallationStore } = {},
): PartnerUnderTest {
  const lines: string[] = []
  const plans = productsUnderTest()
  const door = fakeResourceDoor(store, plans.products)
  const app = partnerApp({
    store,
    resources: door,
    verify: oidcVerifier({ issuer: issuer.url, audience: AUDIENCE }),
    log: jsonLog((line) => lines.push(line)),
    ready: () => true,
    refuseRemoval: () => Promise.resolve(subject.refusal),
    remove(installationId) {
      subject.removals.push(installationId)
      return Promise.resolve(subject.removal)
    },
  })
  // As the server does, which has an error handler of its own.
  const server = new Hono().route('/', app)
  const subject: PartnerUnderTest = {
    app,
    store,
    door,
    plans,
    removals: [],
    removal: { finished: true },
    refusal: undefined,
    logged: () => lines.join(''),
    async installed(id, changes) {
      await store.putInstallation(
        { id, scopes: [], acceptedPolicies: {}, state: 'active', ...changes },
        new Secret(`token-of-${id}`),
      )
    },
    async stored(installationId, id, changes) {
      const resource: Resource = {
        id,
        installationId,
        productId: 'postgres',
        name: 'A database',
        metadata: { region: 'fra1', size: 1 },
        billingPlanId: 'free',
        status: 'ready',
        reference: { generation: 1 },
        ...changes,
      }
      await store.putResource(resource)
      return resource
    },
    async call(method, path, { token, body, key }) {
      const answer = await server.request(path, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        ...(body !== undefined && {
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      })
      const isJson = answer.headers.get('content-type')?.startsWith('application/json')
      const text = await answer.text()
      return {
        status: answer.status,
        body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
        ...(answer.headers.has('idempotency-replayed') && { replayed: true }),
      }
    },
  }
  return subject
}
