import type { RateLimit } from './count-requests.ts'
import type { Fault, RandomFaults } from './choose-fault.ts'

/** An answer to an update of a check run that is completed; 200 takes it and ignores it. */
export type LateCheckAnswer = 200 | 400 | 404 | 409 | 410

/** An answer to an update that comes when Vercel no longer waits for one; 202 takes it and ignores it. */
export type LateUpdateAnswer = 202 | 400 | 404 | 409 | 410

/**
 * How this Vercel behaves where the documentation is silent, and what goes wrong. Every field may be changed at any
 * time (`vercel.dials.latencyMs = 50`) and holds from the next request or webhook on.
 */
export interface Dials {
  /** Every API answer waits this long first. */
  latencyMs: number
  /** Faults for the requests to come; the first one that matches a request is used up by it. */
  failNext: Fault[]
  randomFaults: RandomFaults | undefined
  /** Updates of actions. */
  updateLimit: RateLimit
  /** Reads of deployments and resources. */
  readLimit: RateLimit
  /** Whether the two limits are counted for each token or for all installations together. */
  limitPer: 'token' | 'integration'
  /** How a 429 of the rate limit says when to come back. */
  retryAfter: 'seconds' | 'date' | 'absent'
  /** The answer to an access token that is not known. */
  invalidToken: 401 | 403
  /** The answer to a read of a deployment of another team. */
  foreignDeployment: 403 | 404

  deploymentShape: 'full' | 'public' | 'anonymous'
  /** Laid over every deployment that is read: new enum values, a null ref, numbers in `meta`. */
  deploymentOverrides: Readonly<Record<string, unknown>>
  /** What a deleted deployment reads as. */
  removedDeployment: 'not-found' | 'gone' | 'soft-deleted'
  /** Whether a deployment that was deleted and restored still tells when it was deleted, or null, beside `undeletedAt`. */
  restoredDeployment: 'deleted-at-kept' | 'deleted-at-null'

  /** The answer to any update of an action that has succeeded or failed. */
  updateAfterTerminal: LateUpdateAnswer
  /** A repeat of the very update that ended an action: taken once more and ignored, or late as any other. */
  repeatedUpdate: 'accepted' | 'late'
  /** What another terminal status does that comes late and is answered 202. */
  laterTerminal: 'ignored' | 'replaces'
  /** The answer to an update after a cancel, skip or timeout, or after another action failed the deployment. */
  updateAfterEnd: LateUpdateAnswer
  /** The answer to an update of a deleted deployment. */
  updateAfterRemoval: LateUpdateAnswer
  /** Whether a `succeeded` that comes late and is answered 202 still sets the env of a build that is not over. */
  lateSuccessInjects: boolean
  /** Whether `succeeded` without outcomes is a bad request. */
  outcomesRequired: boolean
  /** The most characters that `statusText` may have; a longer one is a bad request. */
  statusTextLimit: number
  /** Stands before the name of every variable of an outcome, as the prefix that a user may choose. */
  outcomePrefix: string

  /** Whether a cancel is sent for actions that had succeeded, and whether a ready deployment can be canceled. */
  cancelAfterSuccess: boolean
  cancelAfterTimeout: boolean
  cancelAfterSkip: boolean
  /** Whether actions still at work get a cancel when another one failed the deployment. */
  cancelAfterFailure: boolean
  /** Whether an action that reports `failed` gets a cancel for it. */
  cancelFailedAction: boolean
  /** Whether removing a deployment that never became ready sends cleanups. */
  cleanupAfterFailure: boolean
  /** Whether cleanups are sent at once, or when a deleted deployment can no longer be restored. */
  cleanupAt: 'removal' | 'purge'
  /** One cleanup per action, or a single one, for the first action, per deployment. */
  cleanupPer: 'action' | 'deployment'

  /** What the `timeout` of a check counts. */
  checkTimeoutUnit: 'seconds' | 'milliseconds'
  /** How many checks one registration makes; each has runs of its own. */
  checksPerRegistration: number
  /** Whether the webhooks of check runs tell all, or little more than the run's id. */
  checkRunEvents: 'full' | 'sparse'
  /** Whether a run that is canceled is over at once, or when the integration says so. */
  cancelEndsCheckRun: boolean
  checkUpdateAfterEnd: LateCheckAnswer
  /** After which time without an update a check of v1 is given up. */
  checkStaleAfterMs: { readonly registered: number; readonly running: number }
  /** How the events of deployments name the installation that they concern. */
  installationsInEvents: 'integrations' | 'installationIds' | 'absent'
  /** The most bytes that the output of a check may have. */
  checkOutputLimit: number

  /**
   * So many of the provider's answers to calls that change something are lost: each such call is made once more, with
   * the same `Idempotency-Key`. Counts down to 0.
   */
  losePartnerAnswers: number
  /** Which of the two documented forms a transfer of resources has: that of the API reference or that of the flows. */
  transferForm: 'reference' | 'flow'

  /** Sends every webhook twice at the same time. */
  duplicateWebhooks: 'never' | 'same-id' | 'new-id'
  retryId: 'same' | 'new'
  /** Types that wait for `releaseWebhooks`. */
  holdWebhooks: readonly string[]
  /** Types that are never sent. */
  dropWebhooks: readonly string[]
  /** Whether `payload.configuration` is there. */
  configurationInPayload: boolean
  /** Whether `payload.team` is there. */
  teamInPayload: boolean
  /** Whether the option values a user chose come as `payload.options`. */
  optionsInPayload: boolean
  /** `undefined` leaves the key out. */
  region: string | null | undefined
  /** More keys for the envelope. */
  extraEnvelopeKeys: Readonly<Record<string, unknown>>
  /** More keys for the payload. */
  extraPayloadKeys: Readonly<Record<string, unknown>>
  /** More headers for every webhook. */
  webhookHeaders: Readonly<Record<string, string>>
}

/** The documented behaviour, and where there is none, the likely one; no faults. */
export function defaultDials(): Dials {
  return {
    latencyMs: 0,
    failNext: [],
    randomFaults: undefined,
    updateLimit: { total: 100, windowMs: 60_000 },
    readLimit: { total: 500, windowMs: 60_000 },
    limitPer: 'token',
    retryAfter: 'seconds',
    invalidToken: 403,
    foreignDeployment: 404,
    deploymentShape: 'full',
    deploymentOverrides: {},
    removedDeployment: 'not-found',
    restoredDeployment: 'deleted-at-null',
    updateAfterTerminal: 409,
    repeatedUpdate: 'late',
    laterTerminal: 'ignored',
    updateAfterEnd: 409,
    updateAfterRemoval: 404,
    lateSuccessInjects: false,
    outcomesRequired: false,
    statusTextLimit: Infinity,
    outcomePrefix: '',
    cancelAfterSuccess: true,
    cancelAfterTimeout: false,
    cancelAfterSkip: false,
    cancelAfterFailure: false,
    cancelFailedAction: false,
    cleanupAfterFailure: true,
    cleanupAt: 'removal',
    cleanupPer: 'action',
    checkTimeoutUnit: 'seconds',
    checksPerRegistration: 1,
    checkRunEvents: 'full',
    cancelEndsCheckRun: true,
    checkUpdateAfterEnd: 409,
    checkStaleAfterMs: { registered: 3_600_000, running: 300_000 },
    installationsInEvents: 'integrations',
    checkOutputLimit: 65_536,
    losePartnerAnswers: 0,
    transferForm: 'reference',
    duplicateWebhooks: 'never',
    retryId: 'same',
    holdWebhooks: [],
    dropWebhooks: [],
    configurationInPayload: true,
    teamInPayload: true,
    optionsInPayload: false,
    region: 'iad1',
    extraEnvelopeKeys: {},
    extraPayloadKeys: {},
    webhookHeaders: {},
  }
}
