import type { Dispatch } from '../../src/dispatch/dispatch-event.ts'
import type { TemporalEnvironment } from '../servers/temporal-environment.ts'

/** Hands events to Temporal as a front door without a worker does; without checks, unless said. */
export function dispatchForTest(
  { client, taskQueue }: Pick<TemporalEnvironment, 'client' | 'taskQueue'>,
  settings: Partial<Dispatch> = {},
): Dispatch {
  return {
    workflows: client.workflow,
    taskQueue,
    deadlineMs: () => 60_000,
    reportRunningAfterMs: null,
    registersChecks: false,
    acceptWithinMs: 5000,
    ...settings,
  }
}
