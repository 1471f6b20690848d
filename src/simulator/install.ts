import { z } from 'zod'
import { callPartner, type PartnerSide } from './call-partner.ts'
import type { Installation } from './project.ts'

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
  await callPartner(side, installation, {
    method: 'PUT',
    path,
    kind: 'user',
    body: {
      scopes: ['read:deployment', 'read-write:integration-deployment-action'],
      acceptedPolicies: {},
      credentials: { access_token: installation.accessToken, token_type: 'Bearer' },
      account: accountOf(installation),
    },
    answers: { 200: installationAnswer, 201: installationAnswer, 204: z.undefined() },
  })
  await readInstallation(side, installation)
}

/** Asks the provider for its state of an installation, which may name another plan or a notification. */
export async function readInstallation(
  side: PartnerSide,
  installation: Installation,
): Promise<void> {
  const { billingPlan, notification } = await callPartner(side, installation, {
    method: 'GET',
    path: `/v1/installations/${installation.id}`,
    kind: 'system',
    answers: { 200: installationAnswer },
  })
  if (billingPlan) installation.billingPlanId = billingPlan.id
  if (notification) installation.notification = notification
}

/** Asks the provider to let an installation go. Answers whether it is done with it; throws when it refuses. */
export async function tellUninstallation(
  side: PartnerSide,
  installation: Installation,
): Promise<{ finalized: boolean }> {
  const answer = await callPartner(side, installation, {
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

/** Whose installation it is, as Vercel tells the provider. */
export function accountOf({ teamSlug }: Installation) {
  return {
    name: teamSlug,
    url: `https://vercel.com/${teamSlug}`,
    contact: { email: 'owner@example.com', name: 'Owner' },
  }
}
