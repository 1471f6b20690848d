import { WorkflowNotFoundError } from '@temporalio/client'
import { expect, test } from 'vitest'
import { cancelRun } from '../../src/temporal/ask-temporal.ts'
import { devServerEnvironment } from '../servers/temporal-environment.ts'

test('asking to cancel succeeds for a run that is open or closed, and not for one that Temporal does not know', async ({
  onTestFinished,
}) => {
  const temporal = await devServerEnvironment()
  onTestFinished(() => temporal.teardown())
  const { client, taskQueue } = temporal
  // With no worker it stays open.
  const { workflowId, firstExecutionRunId: runId } = await client.workflow.start('any', {
    workflowId: 'any',
    taskQueue,
  })
  const run = client.workflow.getHandle(workflowId, runId)
  await cancelRun(client, { workflowId, runId })
  const { events } = await run.fetchHistory()
  expect(events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes)).toBe(true)
  await run.terminate()
  await cancelRun(client, { workflowId, runId })
  // Who asks waits for the cancellation, which would never come.
  const unknown = cancelRun(client, { workflowId: 'nobody has this id', runId })
  await expect(unknown).rejects.toThrow(WorkflowNotFoundError)
})
