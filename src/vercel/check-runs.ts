import { z } from 'zod'
import type { CheckRunKey, CheckVerdict } from '../domain/check-run.ts'
import { requestVercel, type VercelConnection } from './client.ts'
import { VercelApiError } from './errors.ts'
import { shorten } from './shorten.ts'
import { unreadableAnswer } from './unreadable-answer.ts'

/** A check run as Vercel shows it; only what it is asked for. */
export interface CheckRun {
  readonly isCompleted: boolean
  readonly name?: string
  readonly resourceId?: string
  /** See `checkDeadlineAt` on its unit. */
  readonly timeoutSeconds?: number
}

export interface CheckRunCall extends CheckRunKey {
  readonly teamId?: string | undefined
  readonly signal?: AbortSignal
}

/** What Vercel is told of a check run. */
export type CheckRunUpdate =
  | { readonly kind: 'running'; readonly externalUrl?: string | undefined }
  | {
      readonly kind: 'completed'
      readonly verdict: CheckVerdict
      /** In milliseconds since 1970; the same in each repetition. */
      readonly completedAt: number
    }

const text = z.string().nullish().catch(undefined)

const checkRunSchema = z.looseObject({
  status: text,
  conclusion: text,
  name: text,
  timeout: z.number().positive().nullish().catch(undefined),
  source: z.looseObject({ externalResourceId: text }).nullish().catch(undefined),
})

/** Reads a check run; undefined for one that Vercel does not know or show (404, 410). Throws `VercelApiError`. */
export async function getCheckRun(
  connection: VercelConnection,
  call: CheckRunCall,
): Promise<CheckRun | undefined> {
  let body: unknown
  try {
    body = await requestVercel(connection, { method: 'GET', ...addressOf(call) })
  } catch (error) {
    if (error instanceof VercelApiError && (error.status === 404 || error.status === 410))
      return undefined
    throw error
  }
  const parsed = checkRunSchema.safeParse(body)
  if (!parsed.success) throw unreadableAnswer(`check run ${call.checkRunId}`, parsed.error)
  const { status, conclusion, name, timeout, source } = parsed.data
  return {
    isCompleted: status === 'completed' || Boolean(conclusion),
    ...(name && { name }),
    ...(source?.externalResourceId && { resourceId: source.externalResourceId }),
    ...(timeout && { timeoutSeconds: timeout }),
  }
}

/**
 * Tells Vercel where a check run stands. Resolves once Vercel has taken it; how Vercel answers the second time is not
 * documented. Output that is too large for Vercel (413) is left out. Throws `VercelApiError`.
 */
export async function updateCheckRun(
  connection: VercelConnection,
  call: CheckRunCall,
  update: CheckRunUpdate,
): Promise<void> {
  const { output, ...body } = updateBody(update)
  const send = (sent: Record<string, unknown>) =>
    requestVercel(connection, { method: 'PATCH', ...addressOf(call), body: sent })
  if (output === undefined) return void (await send(body))
  try {
    await send({ ...body, output })
  } catch (error) {
    if (!(error instanceof VercelApiError) || error.status !== 413) throw error
    await send(body)
  }
}

function addressOf({ installationId, deploymentId, checkRunId, teamId, signal }: CheckRunCall) {
  return {
    path: ['v2', 'deployments', deploymentId, 'check-runs', checkRunId],
    query: { teamId },
    installationId,
    ...(signal && { signal }),
  }
}

function updateBody(update: CheckRunUpdate): Record<string, unknown> {
  if (update.kind === 'running') {
    const { externalUrl } = update
    return { status: 'running', ...(externalUrl !== undefined && { externalUrl }) }
  }
  const { verdict, completedAt } = update
  const { conclusion, externalUrl, output } = verdict
  return {
    status: 'completed',
    conclusion,
    ...(verdict.text !== undefined && { conclusionText: shorten(verdict.text) }),
    ...(externalUrl !== undefined && { externalUrl }),
    ...(output && { output }),
    completedAt,
  }
}
