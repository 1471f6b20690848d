import { z } from 'zod'
import { callPartner, type PartnerCall } from './call-partner.ts'
import type { OidcKeys } from './oidc-keys.ts'
import type { Installation } from './project.ts'

/** What installing and uninstalling touches. */
export interface PartnerSide {
  readonly keys: OidcKeys
  /** Who issues the tokens: this Vercel. */
  readonly issuer: () => string
  readonly partnerUrl: () => string | undefined
  readonly closing: AbortSignal
}

const installationAnswer = z.strictObject({
  billingPlan: z.looseObject({ id: z.string() }).optional(),
  notification: z.looseObject({ level: z.string(), title: z.string().max(100) }).optional(),
})

/**
 * Tells the provider of an installation, with its access token, and reads it back, as Vercel does. Throws when the
 * provider refuses it or answers otherwise than documented.
 */
export async function tellInstallation(
  side: PartnerSide,
  installation: Installation,
): Promise<void> {
  const path = `/v1/installations/${installation.id}`
  await call(side, installation, {
    method: 'PUT',
    path,
    kind: 'user',
    body: {
      scopes: ['read:deployment', 'read-write:integration-deployment-action'],
      acceptedPolicies: {},
      credentials: { access_token: installation.accessToken, token_type: 'Bearer' },
      account: {
        name: installation.teamSlug,
        url: `https://vercel.com/${installation.teamSlug}`,
        contact: { email: 'owner@example.com', name: 'Owner' },
      },
    },
    answers: { 200: installationAnswer, 201: installationAnswer, 204: z.undefined() },
  })
  await call(side, installation, {
    method: 'GET',
    path,
    kind: 'system',
    answers: { 200: installationAnswer },
  })
}

/** Asks the provider to let an installation go. Answers whether it is done with it; throws when it refuses. */
export async function tellUninstallation(
  side: PartnerSide,
  installation: Installation,
): Promise<{ finalized: boolean }> {
  const answer = await call(side, installation, {
    method: 'DELETE',
    path: `/v1/installations/${installation.id}`,
    kind: 'user',
    body: { cascadeResourceDeletion: true, reason: 'not needed any more' },
    answers: {
      200: z.strictObject({ finalized: z.boolean().optional() }),
      204: z.undefined(),
    },
  })
  return { finalized: answer?.finalized === true }
}

async function call<Answer>(
  { keys, issuer, partnerUrl, closing }: PartnerSide,
  installation: Installation,
  request: Omit<PartnerCall<Answer>, 'token'>,
): Promise<Answer> {
  const token = await keys.mint(request.kind, installation, issuer())
  return await callPartner(partnerUrl(), { ...request, token }, closing)
}
