import { createHash } from 'node:crypto'
import type { SearchAttributePair } from '@temporalio/common'
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

/** What a workflow is about. */
export interface WorkIds {
  readonly installationId?: string
  /** Whose it is, where nobody knows the installation. */
  readonly accountId?: string
  readonly resourceId?: string
  readonly projectId?: string
  readonly deploymentId?: string
  readonly action?: string
  readonly checkRunId?: string
}

/** By what people find it in the list, where they can, and what its page calls it. */
const SHOWN = [
  ['installationId', 'Installation', attribute.installationKey],
  ['resourceId', 'Resource', attribute.resourceKey],
  ['projectId', 'Project', undefined],
  ['deploymentId', 'Deployment', attribute.deploymentKey],
  ['action', 'Action', attribute.actionKey],
  ['checkRunId', 'Check run', undefined],
] as const

/** What the Web UI shows of a workflow from its first moment: the list's attributes, and a title and text on its page. */
export function describeWork(
  ids: WorkIds,
  { summary, because, phase }: { summary: string; because: string; phase?: ActionPhase },
) {
  const shown = SHOWN.flatMap(([name, label, key]) => {
    const id = ids[name]
    return id === undefined ? [] : [{ id, label, key }]
  })
  const typedSearchAttributes: SearchAttributePair[] = [
    ...shown.flatMap(({ id, key }) => (key ? [{ key, value: searchable(id) }] : [])),
    ...(phase ? [{ key: attribute.phaseKey, value: phase }] : []),
  ]
  return {
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    // Where the server has fairness on, the backlog of one installation delays no other; activities inherit it.
    priority: { fairnessKey: fairnessKey(ids.installationId ?? ids.accountId ?? 'nobody') },
    typedSearchAttributes,
    staticSummary: cut(summary, MAX_SUMMARY),
    staticDetails: [because, '', ...shown.map(({ id, label }) => `- ${label}: \`${id}\``)].join(
      '\n',
    ),
  } as const
}

/** An id as it stands in a search attribute. */
export function searchable(id: string): string {
  return cut(id, MAX_SEARCHABLE)
}

function fairnessKey(owner: string): string {
  if (Buffer.byteLength(owner) <= MAX_FAIRNESS_KEY_BYTES) return owner
  return createHash('sha256').update(owner).digest('hex')
}

function cut(text: string, characters: number): string {
  return Array.from(text).slice(0, characters).join('')
}
