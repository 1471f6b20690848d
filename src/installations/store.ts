import type { Finding } from '../domain/finding.ts'
import type { Secret } from '../domain/secret.ts'

/** A customer's installation of the integration, as Vercel told us of it. */
export interface Installation {
  /** `icfg_…` */
  readonly id: string
  readonly teamId?: string
  readonly account?: {
    readonly name?: string
    readonly url?: string
    readonly contact?: { readonly email: string; readonly name?: string }
  }
  readonly scopes: readonly string[]
  /** When each policy was accepted, by its id. */
  readonly acceptedPolicies: Readonly<Record<string, string>>
  readonly billingPlanId?: string
  /** `removing` from the moment its uninstall was accepted: nothing new begins for it. */
  readonly state: 'active' | 'removing'
}

/** A resource of an installation, as it was provisioned. */
export interface Resource {
  /** The provider's own id, what webhooks call `resourceId`. No two resources have the same, whoever owns them. */
  readonly id: string
  readonly installationId: string
  readonly productId: string
  readonly name: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly billingPlanId?: string
  readonly status: 'pending' | 'ready' | 'suspended' | 'error'
  readonly protocolSettings?: Readonly<Record<string, unknown>>
  /** What `provisionResource` returned: ids and names, never a secret. */
  readonly reference?: unknown
}

/** The offer of resources to another installation. */
export interface TransferRequest {
  readonly claimId: string
  readonly fromInstallationId: string
  readonly resourceIds: readonly string[]
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** What a request was answered with. It may hold secrets, so it is kept sealed. */
export interface StoredAnswer {
  readonly status: number
  readonly body: string
}

/** A request that must not be done twice. */
export interface IdempotentRequest {
  readonly installationId: string
  /** Its `Idempotency-Key`. */
  readonly key: string
  /** A digest of method, path and body, by which another request with the same key is told apart. */
  readonly fingerprint: string
}

export type RecalledAnswer =
  | { readonly kind: 'new' }
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | { readonly kind: 'other-request' }

/**
 * What Holdpoint knows of installations: their access tokens, resources and transfers, and the answers that a repeated
 * request gets again. The only memory of its own; what is in flight stands in Temporal.
 *
 * Every call may be made again, by any process, also when the answer to the first was lost. What is known of one
 * installation is found under its id alone. Every call but `check` throws an `ActionFailure`: `retryable` when the
 * database does not answer, for good when a value cannot be stored or opened.
 */
export interface InstallationStore {
  /**
   * Makes or migrates the schema, and seals anew what was sealed with an older key. Any number of processes may call
   * it at once; the second time it does nothing.
   */
  prepare(): Promise<void>

  /**
   * Remembers an installation with what is told of it now. Without a token the one that is there stays. A removal that
   * has begun is not taken back: the state stays `removing`.
   */
  putInstallation(installation: Installation, accessToken: Secret | undefined): Promise<void>

  getInstallation(id: string): Promise<Installation | undefined>

  /** All of them, by id; never with a token. */
  listInstallations(): Promise<Installation[]>

  /** Changes what is given, and answers whether there is such an installation. */
  updateInstallation(
    id: string,
    changes: Partial<Pick<Installation, 'billingPlanId' | 'teamId' | 'state'>>,
  ): Promise<boolean>

  /**
   * Forgets the installation with its token, resources, answers and transfer requests, all at once. The second time,
   * and for an unknown one, it does nothing.
   */
  removeInstallation(id: string): Promise<void>

  /** The token that is stored now; undefined when the installation is unknown or came without one. */
  accessToken(id: string): Promise<Secret | undefined>

  /** Stores another token, and answers whether there is such an installation. */
  replaceAccessToken(id: string, accessToken: Secret): Promise<boolean>

  /**
   * Remembers a resource unless one of that id is there, whoever has it, and answers whether it was not. Of two that
   * add it at the same time one is answered true. Fails for good when the installation is unknown
   * (`installation_unknown`).
   */
  addResource(resource: Resource): Promise<boolean>

  /**
   * Remembers a resource with what is told of it now. Fails for good when another installation has a resource of that
   * id (`resource_foreign`), or the installation is unknown (`installation_unknown`).
   */
  putResource(resource: Resource): Promise<void>

  getResource(installationId: string, resourceId: string): Promise<Resource | undefined>

  /** The resource, whoever's it is: for what was begun before it was transferred. */
  findResource(resourceId: string): Promise<Resource | undefined>

  /** Those of the installation, by id. */
  listResources(installationId: string): Promise<Resource[]>

  /** Forgets the resource if it is the installation's; the second time it does nothing. */
  removeResource(installationId: string, resourceId: string): Promise<void>

  /**
   * To be called before a request with an `Idempotency-Key` is done. The first request takes the key for 24 hours:
   * another one with the same key is told so from then on. Until an answer is remembered the same request is `new`
   * each time, since whoever did it first may have died.
   */
  recallAnswer(request: IdempotentRequest): Promise<RecalledAnswer>

  /**
   * Keeps the answer of a request that was recalled before, until its 24 hours are over. The first answer stays. Keeps
   * nothing when the installation was removed meanwhile.
   */
  rememberAnswer(request: IdempotentRequest, answer: StoredAnswer): Promise<void>

  /**
   * Remembers the offer; the second time it stays as it was. Fails for good when the installation is unknown
   * (`installation_unknown`).
   */
  putTransferRequest(request: TransferRequest): Promise<void>

  /** The offer, also for a while after it expired; undefined when it is unknown, accepted or of a removed installation. */
  getTransferRequest(claimId: string): Promise<TransferRequest | undefined>

  /**
   * Moves the resources that the offering installation still has, and ends the claim, at once. Answers false, with
   * nothing moved, when the claim is unknown, expired or accepted by another installation, or the offering installation
   * is being removed. Fails for good when the other installation is unknown or being removed (`installation_unknown`).
   * Of two that accept at the same time one is answered true. The second time for the same installation it is true
   * again, with nothing moved, until a day after the claim would have expired.
   */
  acceptTransferRequest(claimId: string, toInstallationId: string, nowMs: number): Promise<boolean>

  /** What an operator should know or mend; for `holdpoint doctor`. Changes nothing and never throws. */
  check(): Promise<Finding[]>

  /** Closes all connections. The second time it does nothing. */
  close(): Promise<void>
}
