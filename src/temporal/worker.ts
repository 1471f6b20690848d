import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from '@temporalio/worker'
import type { DataConverter, WorkerDeploymentVersion } from '@temporalio/common'
import { type Activities } from '../../activities/index.ts'
import type { TemporalLink } from './connection.ts'

/** The workflow code, bundled by `npm run build`; a second one seals failures too. */
export function bundledWorkflows(encrypted: boolean): { codePath: string } {
  const name = encrypted ? 'workflow-bundle-encrypted.js' : 'workflow-bundle.js'
  return { codePath: fileURLToPath(new URL(`../../${name}`, import.meta.url)) }
}

/** A worker with the settings that recovery and cancellation depend on. */
export async function createWorker(
  { connection, namespace }: Pick<TemporalLink, 'connection' | 'namespace'>,
  options: {
    taskQueue: string
    activities: Activities
    workflowBundle: NonNullable<WorkerOptions['workflowBundle']>
    dataConverter: DataConverter
    /** Unset: the worker takes the work of all versions. */
    version?: WorkerDeploymentVersion | undefined
  },
): Promise<Worker> {
  const { version, ...rest } = options
  return await Worker.create({
    connection,
    namespace,
    ...rest,
    ...(version && {
      workerDeploymentOptions: {
        version,
        useWorkerVersioning: true,
        // Workflows that must stay on the version they began with say so themselves.
        defaultVersioningBehavior: 'AUTO_UPGRADE',
      },
    }),
    // A cancel reaches an activity with its next heartbeat that is sent; unset, the SDK holds heartbeats back for 4 s.
    maxHeartbeatThrottleInterval: '200 milliseconds',
    // After a crash, runs that the lost worker had cached wait this long for it; the default is 10 s. Not shorter: with
    // 100 runs to take up again, the new worker is itself a second late, and what it drops it has to replay.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    // What is in hand at SIGTERM may finish.
    shutdownGraceTime: '10 seconds',
    maxCachedWorkflows: 200,
    // A report that waits for Vercel holds both, and must not keep other builds from theirs.
    maxConcurrentWorkflowTaskExecutions: 200,
    maxConcurrentLocalActivityExecutions: 200,
  })
}
