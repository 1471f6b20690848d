import { z } from 'zod'
import type { CheckWish } from '../domain/check-run.ts'
import { checkRunPayloadSchema } from './event.ts'
import type { Reader } from './reader.ts'

type Payload = z.infer<typeof checkRunPayloadSchema>

/** Reads what is wanted of a check run. That of a check which another integration registered is nothing to us. */
export function readCheckRun(wish: CheckWish): Reader {
  return (payload, { deliveryId, occurredAt }) => {
    const parsed = checkRunPayloadSchema.safeParse(payload)
    if (!parsed.success) return parsed.error
    const { checkRun, deployment, team } = parsed.data
    if ((checkRun.source?.kind ?? 'integration') !== 'integration') return 'ignored'
    const installationId = installationOf(parsed.data)
    if (!installationId) return missing('source.integrationConfigurationId')
    if (!concerns(parsed.data, installationId)) return 'ignored'
    const deploymentId = checkRun.deploymentId ?? deployment?.id
    if (!deploymentId) return missing('deploymentId')
    const resourceId =
      checkRun.source?.externalResourceId ?? onlyResource(parsed.data, installationId)
    return {
      kind: 'check-run',
      run: {
        key: { installationId, deploymentId, checkRunId: checkRun.id },
        wish,
        deliveryId,
        occurredAt,
        ...(team && { teamId: team.id }),
        ...(resourceId && { resourceId }),
        ...(checkRun.name && { name: checkRun.name }),
        ...(checkRun.timeout && { timeoutSeconds: checkRun.timeout }),
      },
    }
  }
}

/** The installation that registered the check. Events without a source are known; they list our installations. */
function installationOf(payload: Payload): string | undefined {
  const { checkRun, installationId, configuration, integrations } = payload
  const named = checkRun.source?.integrationConfigurationId ?? installationId ?? configuration?.id
  if (named) return named
  const [only, ...others] = integrations ?? []
  return others.length === 0 ? only?.installationId : undefined
}

function concerns({ integrations }: Payload, installationId: string): boolean {
  if (!integrations || integrations.length === 0) return true
  return integrations.some((each) => each.installationId === installationId)
}

/** The resource of the installation, where it has but one in the event. */
function onlyResource({ integrations }: Payload, installationId: string): string | undefined {
  const ours = integrations?.filter((each) => each.installationId === installationId) ?? []
  const [only, ...others] = ours.flatMap(({ resources }) => resources ?? [])
  return others.length === 0 ? (only?.externalResourceId ?? undefined) : undefined
}

function missing(field: string): z.ZodError {
  return new z.ZodError([
    {
      code: 'custom',
      path: ['checkRun', field],
      message: 'must be there, since nothing else in the event tells it',
      input: undefined,
    },
  ])
}
