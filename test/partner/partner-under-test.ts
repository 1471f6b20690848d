import { memoryStore } from '../../src/installations/memory-store.ts'
import type { InstallationStore } from '../../src/installations/store.ts'
import { jsonLog } from '../../src/log.ts'
import { partnerApp } from '../../src/partner/partner-app.ts'
import { oidcVerifier } from '../../src/partner/verify-oidc.ts'
import { AUDIENCE, type OidcIssuer } from './oidc-issuer.ts'

export interface PartnerUnderTest {
  readonly app: ReturnType<typeof partnerApp>
  readonly store: InstallationStore
  /** The removals that were begun, and how the next one is answered. */
  readonly removals: string[]
  removal: { finished: boolean }
  /** What the provider says to a removal. */
  refusal: string | undefined
  readonly logged: () => string
  /** Calls a route with a token; answers status and body. */
  call(
    method: string,
    path: string,
    request: { readonly token?: string; readonly body?: unknown },
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>
}

/** The partner API with all its parts, but for the removal of what is at providers. */
export function partnerUnderTest(issuer: OidcIssuer): PartnerUnderTest {
  const store = memoryStore()
  const lines: string[] = []
  const subject: PartnerUnderTest = {
    app: partnerApp({
      store,
      verify: oidcVerifier({ issuer: issuer.url, audience: AUDIENCE }),
      log: jsonLog((line) => lines.push(line)),
      ready: () => true,
      refuseRemoval: () => Promise.resolve(subject.refusal),
      remove(installationId) {
        subject.removals.push(installationId)
        return Promise.resolve(subject.removal)
      },
    }),
    store,
    removals: [],
    removal: { finished: true },
    refusal: undefined,
    logged: () => lines.join(''),
    async call(method, path, { token, body }) {
      const answer = await subject.app.request(path, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
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
      }
    },
  }
  return subject
}
