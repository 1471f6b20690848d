import type { ActionEventType } from './build-webhook.ts'
import type { CheckRunEventType } from './check-event.ts'
import type { ConnectionEventKind, ConnectionEventType } from './connection-event.ts'
import type { DeploymentEventType } from './deployment-event.ts'
import type { DeployOptions } from './create-deployment.ts'
import type { DeploymentSnapshot } from './deployment.ts'
import type { Dials } from './dials.ts'
import type { WebhookAnswer } from './post-webhook.ts'
import type { ConnectionChoice, Installation, Product, Project } from './project.ts'
import type { ResourceMoves } from './resource-moves.ts'
import type { HeldSelection, RetrySchedule } from './send-webhooks.ts'
import type { ActionEventKind, CheckRunEventKind, DeploymentEventKind } from './surroundings.ts'
import type { TimelineEvent } from './timeline.ts'
import type { WaitOptions } from './wait-until.ts'

export interface SimulatorOptions {
  /** A free one unless said. */
  readonly port?: number
  /** 127.0.0.1 unless said. */
  readonly host?: string
  /** Signs the webhooks. */
  readonly clientSecret: string
  /** The token of the first installation, which the provider's client must send as Bearer. */
  readonly accessToken: string
  /** Drawn at random unless said. */
  readonly installationId?: string
  /** The integration's id, which tokens for the provider are made out to; `oac_local` unless said. */
  readonly clientId?: string
  /** Where the provider serves its partner API. */
  readonly partnerUrl?: string
  /** Where webhooks go. Until it is set, here or later, they are retried. */
  readonly webhookUrl?: string
  readonly product: Product
  /** The slugs of what customers can provision; the product's id alone unless said. */
  readonly products?: readonly string[]
  /** How long a build is held at most; 5 minutes unless said. Vercel's own value is not published. */
  readonly provisioningTimeoutMs?: number
  /** How long a build takes; 50 ms unless said. */
  readonly buildMs?: number
  readonly retry?: Partial<RetrySchedule>
  readonly dials?: Partial<Dials>
  /** The clock of timestamps and rate limits, in milliseconds since the epoch. Timers keep running on the real one. */
  readonly now?: () => number
  /** Called after each event, as it is recorded. Events of requests hold secrets. */
  readonly onEvent?: (event: TimelineEvent) => void
}

/** A local Vercel: its API for integrations, its webhooks, and the users who install, provision and deploy. */
export interface Simulator extends ResourceMoves {
  readonly url: string
  readonly product: Product
  /** The installation of the options. */
  readonly installation: Installation
  /** All that are there. */
  readonly installations: readonly Installation[]
  readonly dials: Dials
  webhookUrl: string | undefined
  partnerUrl: string | undefined
  /** Change it to rotate: what is sent from then on is signed with the new one. */
  clientSecret: string
  /** Everything seen so far; grows while you look at it. */
  readonly records: readonly TimelineEvent[]
  readonly projects: readonly Project[]

  /** Installs the integration on one more team. */
  createInstallation(options?: {
    readonly id?: string
    readonly accessToken?: string
  }): Installation
  /**
   * Installs the integration on one more team as a customer does: the provider is told at `partnerUrl`, with a new
   * access token. Rejects with a `PartnerRefusal` when the provider refuses, and a `PartnerFault` when it answers
   * otherwise than documented.
   */
  readonly install: () => Promise<Installation>
  /**
   * Uninstalls it, unless the provider refuses; rejects as `install` does. From then on its token is refused, its
   * resources are gone, and the provider is told by a webhook too. Answers whether the provider was done with it.
   */
  readonly uninstall: (installation: Installation) => Promise<{ finalized: boolean }>
  /** Moves an installation with its projects to another team, and tells the provider by a webhook. */
  readonly transferInstallation: (installation: Installation, newTeamId: string) => void
  /** Signs tokens for the provider with a new key from then on. */
  readonly rotateSigningKey: () => void
  /**
   * Creates a project and connects resources to it, which the provider is told of where the product has checks. Throws
   * when an action was never declared.
   */
  readonly createProject: (options: CreateProjectOptions) => Project
  /** Connects one more resource to a project and tells the provider. Throws when it is connected already. */
  readonly connect: (project: Project, choice: ConnectionChoice) => void
  /** Takes a connection back and tells the provider. Throws when there is none. */
  readonly disconnect: (project: Project, resourceId: string) => void
  /** Deploys: starts the chosen actions and holds the build until they are done. */
  readonly deploy: (project: Project, options?: DeployOptions) => DeploymentSnapshot
  /** Cancels a deployment and tells its actions. Throws when it is past that. */
  readonly cancel: (deploymentId: string) => void
  /**
   * Cancels one action, the first unless said, while the build is held for it. That of a required resource fails the
   * deployment. Throws when it is past that.
   */
  readonly cancelAction: (deploymentId: string, action?: ActionChoice) => void
  /** Cancels a check run and tells the integration. Throws when it is completed. */
  readonly cancelCheckRun: (deploymentId: string, checkRunId: string) => void
  /** Has a check of v1 run once more and tells the integration. Throws when it is not rerequestable. */
  readonly rerequestCheck: (deploymentId: string, checkId: string) => void
  /** Deletes a deployment and has its actions clean up, now or later as the dials say. Throws when it is deleted already. */
  readonly remove: (deploymentId: string) => void
  /** Takes a deletion back. Throws when there is nothing to take back, or no longer. */
  readonly restore: (deploymentId: string) => void
  /** Ends the time in which a deleted deployment can be restored, and tells that it is gone. Throws when it is not deleted. */
  readonly purge: (deploymentId: string) => void
  /** Lets the build go on without the resources. Throws when nothing is waited for. */
  readonly skip: (deploymentId: string) => void
  /** Ends Vercel's patience now, before `provisioningTimeoutMs`. Throws when nothing is waited for. */
  readonly timeOut: (deploymentId: string) => void
  /** The deployment as it is now, also after its removal. Throws for an unknown id. */
  readonly deployment: (deploymentId: string) => DeploymentSnapshot
  /** All deployments, the newest first. */
  readonly deployments: () => DeploymentSnapshot[]

  /** Resolves with the deployment once the predicate holds; rejects after the timeout, saying how it stands. */
  until(
    deploymentId: string,
    predicate: (deployment: DeploymentSnapshot) => boolean,
    options?: WaitOptions,
  ): Promise<DeploymentSnapshot>
  /** Resolves with the first event, past or to come, for which the predicate holds. */
  untilEvent<T extends TimelineEvent>(
    predicate: (event: TimelineEvent) => event is T,
    options?: WaitOptions,
  ): Promise<T>
  untilEvent(
    predicate: (event: TimelineEvent) => boolean,
    options?: WaitOptions,
  ): Promise<TimelineEvent>

  /** Sends one webhook exactly as told, once, whatever the dials say. Rejects when no answer comes. */
  readonly sendWebhook: (webhook: RawWebhook) => Promise<WebhookAnswer>
  /** The type and payload that Vercel would send for an action of a deployment; the first action unless said. */
  actionEvent(
    kind: ActionEventKind,
    deploymentId: string,
    action?: ActionChoice,
  ): { type: ActionEventType; payload: Record<string, unknown> }
  /** The type and payload that Vercel would send for a check run. */
  checkRunEvent(
    kind: CheckRunEventKind,
    deploymentId: string,
    checkRunId: string,
  ): { type: CheckRunEventType; payload: Record<string, unknown> }
  /** The type and payload that Vercel would send of a deployment; `check-rerequested` is about a check of it. */
  deploymentEvent(
    kind: DeploymentEventKind,
    deploymentId: string,
    checkId?: string,
  ): { type: DeploymentEventType; payload: Record<string, unknown> }
  /** The type and payload that Vercel would send as a resource is connected to a project, or no longer. */
  connectionEvent(
    kind: ConnectionEventKind,
    project: Project,
    resourceId: string,
  ): { type: ConnectionEventType; payload: Record<string, unknown> }
  /** Sends what the dial `holdWebhooks` held back; resolves after the first attempt of each. */
  readonly releaseWebhooks: (selection?: HeldSelection) => Promise<void>
  /** Stops timers and deliveries and cuts connections; resolves when nothing is left. */
  readonly close: () => Promise<void>
}

/** Picks an action of a deployment; what is left out matches every one. */
export interface ActionChoice {
  readonly resourceId?: string
  readonly slug?: string
}

export interface CreateProjectOptions {
  readonly name: string
  /** The first installation unless said. */
  readonly installation?: Installation
  readonly resources: readonly ConnectionChoice[]
  /** By environment: the variables a build has without any action. */
  readonly env?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** A webhook under full control. What is left out is as Vercel would have it. */
export interface RawWebhook {
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly id?: string
  readonly createdAt?: number
  readonly region?: string | null
  /** More keys for the envelope. */
  readonly extraKeys?: Readonly<Record<string, unknown>>
  /** Sent in place of the envelope; type and payload then serve nothing but the record. */
  readonly rawBody?: string | Uint8Array
  /** Sent in place of the right one; null leaves the header out. */
  readonly signature?: string | null
  /** Signs in place of `clientSecret`. */
  readonly signedWith?: string
}
