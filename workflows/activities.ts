import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'

// How each activity is run: by what it may take, and by what must be known when it is cut off.

/** Short: no task queue between the workflow and the call. Retried until it finds the deadline passed. */
export const { openAction } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '1 minute',
  // It may be about to report.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: {
    initialInterval: '200 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '2 seconds',
  },
})

export const { requestCancellation } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '5 seconds' },
})

// A lost worker is noticed by the missing heartbeat, which each activity sends twice a second by itself. A worker that
// is merely slow costs a second try, which finds the work done or in hand.
const provider = {
  startToCloseTimeout: '45 minutes',
  heartbeatTimeout: '3 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const

/** The provider's work, each step by itself. Retried until the deadline; when canceled, waited for to its end. */
export const { provision, migrate, ready } = proxyActivities<Activities>({
  ...provider,
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '10 seconds',
  },
})

/** The undo. Retried until it holds. */
export const { deprovision } = proxyActivities<Activities>({
  ...provider,
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '1 minute',
  },
})

/**
 * The first report that is sent, without a task queue before it. After a crash it is run again, and knows by the head
 * start's absence that Vercel may have it.
 */
export const { reportSucceeded: reportSucceededAtOnce } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '1 minute',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { maximumAttempts: 1 },
})

/** Tried once a call: after a cut-off try the workflow must know that the report may have been taken. */
export const { reportSucceeded } = proxyActivities<Activities>({
  ...provider,
  // A build waits for it, and it does nothing that keeps a worker from its heartbeat.
  heartbeatTimeout: '2 seconds',
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 1 },
})

/** Retried for a day, as long as Vercel itself redelivers; nothing of ours is left behind by then. */
export const { reportFailed } = proxyActivities<Activities>({
  ...provider,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '1 day',
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
  },
})

/** What is kept of an installation. Retried until the database answers. */
export const { closeInstallation, forgetInstallation } = proxyActivities<Activities>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '1 minute' },
})

/** Long with many objects. Retried until every provider tells what it holds. */
export const { withdrawInstallation, withdrawScope } = proxyActivities<Activities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '5 seconds',
  retry: { initialInterval: '2 seconds', maximumInterval: '5 minutes' },
})

/** Short. Retried until the database answers, or the deadline of the work comes. */
export const { openResource } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '30 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200 milliseconds', maximumInterval: '5 seconds' },
})

/** The provider's work on a resource. Retried until its deadline; when canceled, waited for to its end. */
export const { provisionResource, changeResource } = proxyActivities<Activities>({
  ...provider,
  // No build is held by it.
  startToCloseTimeout: '1 day',
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '10 seconds',
  },
})

/** What a resource leaves. Retried until it is gone. */
export const { deprovisionResource, expireSecrets } = proxyActivities<Activities>({
  ...provider,
  startToCloseTimeout: '1 day',
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '1 minute',
  },
})

/** Retried for a day, as long as Vercel itself redelivers. */
export const { announceResource } = proxyActivities<Activities>({
  ...provider,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '1 day',
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
  },
})

/** The local configuration of whichever worker answers. */
export const { surveyedActions } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5 seconds',
})

/** Long with many objects, as it goes slowly on Vercel. What cannot be listed now is surveyed the next time. */
export const { survey } = proxyActivities<Activities>({
  startToCloseTimeout: '4 hours',
  heartbeatTimeout: '5 seconds',
  retry: { initialInterval: '2 seconds', maximumAttempts: 4 },
})

/** Bounded: what does not work now is found again the next time. */
export const { reconcile } = proxyActivities<Activities>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '5 seconds',
  retry: { initialInterval: '1 second', maximumAttempts: 3 },
})

/** Short, as the opening of an action; what it finds is gone stale when it takes longer than a check does. */
export const { openCheckRun } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '4 minutes',
  // It may be about to report.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: {
    initialInterval: '200 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '5 seconds',
  },
})

/** No build waits for it, and Vercel keeps what was created for an hour: long enough for an outage. */
export const { openDeploymentCheck, isDeploymentCheckReset } = proxyActivities<Activities>({
  ...provider,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '1 hour',
  retry: {
    initialInterval: '200 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
  },
})

/** A look at an action, tried again until `withinMs` are over. */
export function readActionEndWithin(withinMs: number): Pick<Activities, 'readActionEnd'> {
  return proxyLocalActivities<Activities>({
    startToCloseTimeout: '30 seconds',
    scheduleToCloseTimeout: withinMs,
    retry: {
      initialInterval: '200 milliseconds',
      backoffCoefficient: 2,
      maximumInterval: '5 seconds',
    },
  })
}

/** The check itself, tried again until `withinMs` are over, and cut off then. */
export function runCheckWithin(withinMs: number): Pick<Activities, 'runCheck'> {
  return proxyActivities<Activities>({
    ...provider,
    scheduleToCloseTimeout: withinMs,
    retry: {
      initialInterval: '500 milliseconds',
      backoffCoefficient: 2,
      maximumInterval: '10 seconds',
    },
  })
}

/** Retried for a day, with the same body each time: whoever waits for the check may wait for as long. */
export const { concludeCheckRun, concludeDeploymentCheck } = proxyActivities<Activities>({
  ...provider,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '1 day',
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
  },
})

/** Nobody waits for it. A day is enough for an outage of Vercel, or for a scope to be granted. */
export const { registerChecks } = proxyActivities<Activities>({
  ...provider,
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '1 day',
  retry: {
    initialInterval: '1 second',
    backoffCoefficient: 2,
    maximumInterval: '5 minutes',
  },
})
