import type { Installation, Resource, TransferRequest } from './store.ts'

/** Rows as the driver tells them: a column without a value is null, and `json` is parsed. */
export interface InstallationRow {
  id: string
  team_id: string | null
  account: Installation['account'] | null
  scopes: string[]
  accepted_policies: Record<string, string>
  billing_plan_id: string | null
  state: Installation['state']
}

export interface ResourceRow {
  id: string
  installation_id: string
  product_id: string
  name: string
  metadata: Record<string, unknown>
  billing_plan_id: string | null
  status: Resource['status']
  protocol_settings: Record<string, unknown> | null
  /** JSON that is not parsed, since the value null is one too. */
  reference: string | null
}

export interface TransferRequestRow {
  claim_id: string
  from_installation_id: string
  resource_ids: string[]
  /** A `bigint`, which the driver tells as a text. */
  expires_at_ms: string
}

export interface ClaimRow extends Omit<TransferRequestRow, 'claim_id'> {
  accepted_by: string | null
}

export function toInstallation(row: InstallationRow): Installation {
  return {
    id: row.id,
    ...(row.team_id !== null && { teamId: row.team_id }),
    ...(row.account && { account: row.account }),
    scopes: row.scopes,
    acceptedPolicies: row.accepted_policies,
    ...(row.billing_plan_id !== null && { billingPlanId: row.billing_plan_id }),
    state: row.state,
  }
}

export function toResource(row: ResourceRow): Resource {
  return {
    id: row.id,
    installationId: row.installation_id,
    productId: row.product_id,
    name: row.name,
    metadata: row.metadata,
    ...(row.billing_plan_id !== null && { billingPlanId: row.billing_plan_id }),
    status: row.status,
    ...(row.protocol_settings && { protocolSettings: row.protocol_settings }),
    ...(row.reference !== null && { reference: JSON.parse(row.reference) as unknown }),
  }
}

export function toTransferRequest(row: TransferRequestRow): TransferRequest {
  return {
    claimId: row.claim_id,
    fromInstallationId: row.from_installation_id,
    resourceIds: row.resource_ids,
    expiresAtMs: Number(row.expires_at_ms),
  }
}
