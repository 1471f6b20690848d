import { searchAttributeKeys } from '../../workflows/search-attributes.ts'
import { ActionFailure } from '../domain/failure.ts'
import type { Finding } from '../domain/finding.ts'
import type { TemporalLink } from './connection.ts'

/** Vercel redelivers for 24 hours, and a tombstone is met only as long as the namespace keeps closed runs. */
const MIN_RETENTION_SECONDS = 72 * 3600
const GRPC_NOT_FOUND = 5
const GRPC_ALREADY_EXISTS = 6
/** `temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD` */
const KEYWORD = 2
/** `temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW` */
const WORKFLOW_TASK_QUEUE = 1

/**
 * Registers Holdpoint's search attributes with the namespace and keeps its closed runs for 3 days at least. What is
 * in order is left alone. A server that forbids either is no error here: `checkNamespace` tells what is missing.
 */
export async function prepareNamespace(link: TemporalLink): Promise<void> {
  const missing = await missingSearchAttributes(link)
  if (missing.length > 0) await addSearchAttributes(link.connection, link.namespace).catch(() => {})
  if ((await retentionSeconds(link)) < MIN_RETENTION_SECONDS) {
    await link.connection.workflowService
      .updateNamespace({
        namespace: link.namespace,
        config: {
          workflowExecutionRetentionTtl: { seconds: MIN_RETENTION_SECONDS as unknown as Long },
        },
      })
      .catch(() => {})
  }
}

/** Registers Holdpoint's search attributes; the second time it changes nothing. Throws when it may not. */
export async function addSearchAttributes(
  { operatorService }: Pick<TemporalLink['connection'], 'operatorService'>,
  namespace: string,
): Promise<void> {
  const searchAttributes = Object.fromEntries(
    searchAttributeKeys.map(({ name }) => [name, KEYWORD] as const),
  )
  try {
    await operatorService.addSearchAttributes({ namespace, searchAttributes })
  } catch (error) {
    // Servers differ: some say nothing the second time, some refuse.
    if (!hasCode(error, GRPC_ALREADY_EXISTS)) throw error
  }
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function explain(namespace: string): (cause: unknown) => never {
  return (cause) => {
    throw hasCode(cause, GRPC_NOT_FOUND)
      ? new ActionFailure(
          'namespace_missing',
          `Temporal has no namespace ${namespace}, so nothing can be stored in it. Create it: temporal operator namespace create --retention 72h ${namespace}`,
          { retryable: false, cause },
        )
      : new ActionFailure(
          'temporal_unreachable',
          `Temporal does not tell about the namespace ${namespace}, so no webhook can be accepted durably. Look at Temporal, or at TEMPORAL_NAMESPACE and the rights of the API key.`,
          { retryable: true, cause },
        )
  }
}

/** Whether the namespace fits, a finding for each demand. Throws an `ActionFailure` when
 * Temporal does not tell. */
export async function checkNamespace(link: TemporalLink): Promise<Finding[]> {
  const missing = await missingSearchAttributes(link)
  const hours = Math.round((await retentionSeconds(link)) / 3600)
  return [
    missing.length === 0
      ? { subject: 'Search attributes', level: 'ok', message: 'all registered' }
      : {
          subject: 'Search attributes',
          level: 'error',
          message: `${missing.join(', ')} not registered, so no run can be started`,
          fix: missing
            .map(
              (name) =>
                `temporal operator search-attribute create -n ${link.namespace} --name ${name} --type Keyword`,
            )
            .join(' && '),
        },
    hours * 3600 >= MIN_RETENTION_SECONDS
      ? { subject: 'Retention', level: 'ok', message: `closed runs are kept for ${hours} hours` }
      : {
          subject: 'Retention',
          level: 'error',
          message: `closed runs are kept for ${hours} hours, less than 72: a webhook that Vercel redelivers could act twice`,
          fix: `temporal operator namespace update -n ${link.namespace} --retention 72h`,
        },
  ]
}

async function missingSearchAttributes({ connection, namespace }: TemporalLink): Promise<string[]> {
  const { customAttributes } = await connection.operatorService
    .listSearchAttributes({ namespace })
    .catch(explain(namespace))
  return searchAttributeKeys.map((key) => key.name).filter((name) => !(name in customAttributes))
}

async function retentionSeconds({ connection, namespace }: TemporalLink): Promise<number> {
  const { config } = await connection.workflowService
    .describeNamespace({ namespace })
    .catch(explain(namespace))
  return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0)
}

/** Whether a worker polls the task queue. Throws when Temporal does not answer. */
export async function checkPollers(
  { connection, namespace }: TemporalLink,
  taskQueue: string,
): Promise<Finding> {
  const subject = 'Worker'
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: WORKFLOW_TASK_QUEUE,
  })
  if (pollers.length > 0)
    return { subject, level: 'ok', message: `${pollers.length} poll ${taskQueue}` }
  return {
    subject,
    level: 'warning',
    message: `none polls ${taskQueue}, so webhooks are accepted and nothing is done for them`,
    fix: 'start one: holdpoint worker, or holdpoint start',
  }
}
