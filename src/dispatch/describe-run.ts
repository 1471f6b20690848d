import { createHash } from 'node:crypto'
import type { SearchAttributePair } from '@temporalio/common'
import type { ActionKey } from '../domain/action-key.ts'
import type { ActionPhase } from '../domain/action-run.ts'
import * as attribute from '../../workflows/search-attributes.ts'

/**
 * A lost worker's task is noticed after this long. Short, because first tasks and local activities are noticed by
 * nothing else; a task itself takes milliseconds.
 */
const WORKFLOW_TASK_TIMEOUT = '3 seconds'

/** Temporal takes 2048 bytes of a search attribute, and its SQL visibility stores keep 255 characters. */
const MAX_SEARCHABLE = 255
/** Temporal's default limit for a summary is 400 bytes; a character takes 4 at most. */
const MAX_SUMMARY = 100

/** Temporal refuses a longer one. */
const MAX_FAIRNESS_KEY_BYTES = 64

/** What the Web UI shows of a run from its first moment: the list's attributes, and a title and text on its page. */
export function describeRun(
  key: ActionKey,
  { phase, because }: { phase?: ActionPhase; because: string },
) {
  const { installationId, resourceId, deploymentId, action } = key
  const typedSearchAttributes: SearchAttributePair[] = [
    { key: attribute.installationKey, value: cut(installationId, MAX_SEARCHABLE) },
    { key: attribute.resourceKey, value: cut(resourceId, MAX_SEARCHABLE) },
    { key: attribute.deploymentKey, value: cut(deploymentId, MAX_SEARCHABLE) },
    { key: attribute.actionKey, value: cut(action, MAX_SEARCHABLE) },
    ...(phase ? [{ key: attribute.phaseKey, value: phase }] : []),
  ]
  return {
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    // Where the server has fairness on, the backlog of one installation delays no other; activities inherit it.
    priority: { fairnessKey: fairnessKey(installationId) },
    typedSearchAttributes,
    staticSummary: cut(`${action} of ${resourceId} for ${deploymentId}`, MAX_SUMMARY),
    staticDetails: [
      because,
      '',
      `- Installation: \`${installationId}\``,
      `- Resource: \`${resourceId}\``,
      `- Deployment: \`${deploymentId}\``,
      `- Action: \`${action}\``,
    ].join('\n'),
  } as const
}

function fairnessKey(installationId: string): string {
  if (Buffer.byteLength(installationId) <= MAX_FAIRNESS_KEY_BYTES) return installationId
  return createHash('sha256').update(installationId).digest('hex')
}

function cut(text: string, characters: number): string {
  return Array.from(text).slice(0, characters).join('')
}
