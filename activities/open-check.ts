import type { DeclaredCheck } from '../src/checks/define-check.ts'
import type { ActionKey } from '../src/domain/action-key.ts'
import type { CheckRunKey } from '../src/domain/check-run.ts'
import type { Deployment } from '../src/domain/deployment.ts'
import { usableUrl } from './conclude-check.ts'
import type { Dependencies } from './dependencies.ts'

/** A worker that stood still for longer may have lost the run to another one, which has concluded it. */
const RUNNING_WITHIN_MS = 1500

/** A check that is to be run, with all that it needs. */
export interface OpenedCheck {
  readonly kind: 'open'
  /** The slug of the check. */
  readonly check: string
  readonly deployment: Deployment
  readonly resourceId?: string
  /** The action to wait for. */
  readonly action?: ActionKey
  readonly externalUrl?: string
  readonly deadlineMs: number
}

/**
 * Opens a check, and has `tellRunning` tell Vercel that it runs. That is best effort: it tries once, within a moment of
 * `begunAt` (as `performance.now()` has it), and never after the conclusion.
 */
export async function openCheck(
  { log }: Pick<Dependencies, 'log'>,
  { slug, definition, deadlineMs }: DeclaredCheck,
  {
    key,
    deployment,
    resourceId,
    begunAt,
    signal,
    tellRunning,
  }: {
    readonly key: CheckRunKey
    readonly deployment: Deployment
    readonly resourceId: string | undefined
    readonly begunAt: number
    readonly signal: AbortSignal
    readonly tellRunning: (externalUrl: string | undefined, signal: AbortSignal) => Promise<void>
  },
): Promise<OpenedCheck> {
  const externalUrl = usableUrl(definition.externalUrl?.(key), key, log)
  const leftMs = Math.round(begunAt + RUNNING_WITHIN_MS - performance.now())
  if (leftMs > 0) {
    const within = AbortSignal.any([signal, AbortSignal.timeout(leftMs)])
    await tellRunning(externalUrl, within).catch((error: unknown) =>
      log.warn('check.running_dropped', { ...key, error }),
    )
  }
  const { installationId, deploymentId } = key
  const { after } = definition
  return {
    kind: 'open',
    check: slug,
    deployment,
    deadlineMs,
    ...(resourceId !== undefined && { resourceId }),
    ...(resourceId !== undefined &&
      after !== undefined && {
        action: { installationId, resourceId, deploymentId, action: after },
      }),
    ...(externalUrl !== undefined && { externalUrl }),
  }
}
