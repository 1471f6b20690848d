import { readFile } from 'node:fs/promises'
import { TypedSearchAttributes } from '@temporalio/common'
import { msToTs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'
import { ReusableVMWorkflowCreator } from '@temporalio/worker/lib/workflow/reusable-vm.js'
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js'

const { WorkflowActivation } = proto.coresdk.workflow_activation

export type Job = proto.coresdk.workflow_activation.IWorkflowActivationJob
export type Command = proto.coresdk.workflow_commands.IWorkflowCommand

export interface Activation {
  readonly timestampMs: number
  readonly jobs: readonly Job[]
  readonly isReplaying: boolean
}

/** A run of a workflow in the sandbox of the SDK, as a worker holds it in its cache. */
export interface CachedWorkflow {
  /** What the workflow does on these jobs. Throws where a worker would fail the task. */
  activate(activation: Activation): Promise<readonly Command[]>
  dispose(): Promise<void>
}

/** The bundled workflows, in the sandbox that the SDK's own worker runs them in. */
export interface WorkflowCode {
  create(run: {
    workflowId: string
    runId: string
    workflowType: string
    startedAt: number
    taskTimeoutMs: number
  }): Promise<CachedWorkflow>
}

/** Loads the bundle in this file. `activityNames` are those that the worker has. */
export async function loadWorkflowCode(
  file: string,
  activityNames: readonly string[],
): Promise<WorkflowCode> {
  const code = await readFile(file, 'utf8')
  // Traces of pending promises, which only a query reads, take as long as all the rest.
  globalHandlers.installed = true
  const creator = await ReusableVMWorkflowCreator.create(
    { code, filename: file, sourceMap: emptySourceMap(file) },
    // A limit would cost a thread for each call into the sandbox.
    undefined as never,
    new Set(activityNames),
  )
  return {
    async create({ workflowId, runId, workflowType, startedAt, taskTimeoutMs }) {
      const workflow = await creator.createWorkflow({
        info: {
          workflowId,
          runId,
          workflowType,
          searchAttributes: {},
          typedSearchAttributes: new TypedSearchAttributes(),
          taskQueue: 'model',
          namespace: 'model',
          firstExecutionRunId: runId,
          startTime: new Date(startedAt),
          runStartTime: new Date(startedAt),
          taskTimeoutMs,
          attempt: 1,
          historyLength: 3,
          historySize: 0,
          continueAsNewSuggested: false,
          unsafe: { isReplaying: false, isReplayingHistoryEvents: false },
        } as never,
        randomnessSeed: [0, 0, 0, 0, 0, 0, 0, 7],
        now: startedAt,
        showStackTraceSources: false,
        failureExceptionTypeNames: [],
      })
      return {
        async activate({ timestampMs, jobs, isReplaying }) {
          const completion = await workflow.activate(
            WorkflowActivation.fromObject({
              runId,
              timestamp: msToTs(timestampMs),
              isReplaying,
              historyLength: 3,
              jobs,
              // A worker finds in the history which of these its code was written with.
              availableInternalFlags: isReplaying ? [1, 2, 3, 4, 5, 6] : [],
            }),
          )
          if (completion.failed)
            throw new Error(`the workflow task failed: ${completion.failed.failure?.message}`)
          return completion.successful?.commands ?? []
        },
        dispose: () => workflow.dispose(),
      }
    },
  }
}

function emptySourceMap(file: string) {
  return { version: 3, sources: [], names: [], mappings: '', file } as never
}
