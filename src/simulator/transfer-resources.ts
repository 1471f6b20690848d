import { z } from 'zod'
import { callPartner, type PartnerCall } from './call-partner.ts'
import { disconnectProject } from './connect-project.ts'
import { PartnerRefusal } from './judge-answer.ts'
import type { Installation } from './project.ts'
import type { Resource } from './resource.ts'
import { type BillingPlan, billingPlan } from './resource-schema.ts'
import { announceResource, type ResourceSurroundings } from './resource-surroundings.ts'

const CLAIMABLE_MS = 24 * 60 * 60_000

const claimAnswer = z.strictObject({ providerClaimId: z.string().min(1) })
// A provider cannot tell from the request which form it is asked in, so an answer may suit both.
const verification = z.strictObject({
  newBillingPlan: billingPlan.optional(),
  valid: z.boolean().optional(),
  billingPlan: z.strictObject({ id: z.string().min(1), cost: z.string().optional() }).optional(),
})

/**
 * Moves resources to another installation as two customers do: one offers them, the other looks at the offer and takes
 * it. The paths of the other's calls name the target. Projects keep their resources: one all of whose resources move
 * goes with them to the other team, and any other loses the connection, which would cross teams.
 */
export async function transferResources(
  { from, to }: { readonly from: Installation; readonly to: Installation },
  moved: readonly Resource[],
  surroundings: ResourceSurroundings,
): Promise<void> {
  const { dials, now } = surroundings
  const { providerClaimId } = await callPartner(surroundings, from, {
    method: 'POST',
    path: `/v1/installations/${from.id}/resource-transfer-requests`,
    kind: 'system',
    body: { resourceIds: moved.map(({ id }) => id), expiresAt: now() + CLAIMABLE_MS },
    answers: { 200: claimAnswer },
    once: { field: 'providerClaimId', of: (answer) => answer.providerClaimId },
  })
  const claim = `/v1/installations/${to.id}/resource-transfer-requests/${encodeURIComponent(providerClaimId)}`
  const flow = dials.transferForm === 'flow'
  const verified = await callPartner(surroundings, to, {
    method: 'GET',
    path: `${claim}/verify`,
    kind: 'system',
    answers: { 200: flow ? verification.required({ valid: true }) : verification },
  })
  if (verified.valid === false)
    throw new PartnerRefusal(200, `GET ${claim}/verify: the transfer is not valid`, undefined)
  await callPartner(surroundings, to, {
    method: 'POST',
    path: `${claim}/accept`,
    kind: 'system',
    ...(flow ? acceptAsFlow(to) : acceptAsReference),
  })
  moveProjects(from, to, moved, surroundings)
  for (const resource of moved) moveResource(resource, to, verified.newBillingPlan, surroundings)
}

const acceptAsReference: Pick<PartnerCall<unknown>, 'answers'> = {
  answers: { 204: z.undefined() },
}

function acceptAsFlow(to: Installation): Pick<PartnerCall<unknown>, 'body' | 'answers'> {
  return {
    body: { targetInstallationId: to.id, targetTeamId: to.teamId },
    answers: { 200: z.strictObject({ success: z.literal(true) }) },
  }
}

function moveResource(
  resource: Resource,
  to: Installation,
  plan: BillingPlan | undefined,
  surroundings: ResourceSurroundings,
): void {
  resource.installation = to
  if (plan) resource.billingPlan = plan
  resource.version += 1
  announceResource(resource, 'transferred', surroundings)
}

// "Upon a successful response, the resource in Vercel will be moved […], maintaining its project connection."
function moveProjects(
  from: Installation,
  to: Installation,
  moved: readonly Resource[],
  { projects, emit }: ResourceSurroundings,
): void {
  const ids = new Set(moved.map(({ id }) => id))
  for (const project of projects.filter(({ installation }) => installation === from)) {
    const going = project.connections.filter(({ resourceId }) => ids.has(resourceId))
    if (going.length === 0) continue
    if (going.length === project.connections.length) project.installation = to
    else for (const { resourceId } of going) disconnectProject(project, resourceId, emit)
  }
}
