import type { z } from 'zod'
import type { ResourceKey } from '../domain/resource-key.ts'
import type { Secret } from '../domain/secret.ts'
import type { DriverCall, ResourceDriver } from '../drivers/driver.ts'
import type { Log } from '../log.ts'
import type { BillingPlan } from './billing-plan.ts'

/**
 * What a product is: something that customers provision through Vercel. Each function is run as a Temporal activity, but
 * `secrets` and `plans`, which answer Vercel directly: it may be cut off anywhere and be called again, by another
 * process too, so it must be idempotent. Throw `ActionFailure` to say whether a retry makes sense and what people should
 * read. `call.signal` aborts when the call is given up; honour it.
 */
export interface ProductDefinition<Metadata, Reference> {
  /** As people read it. */
  readonly name: string
  /** What customers fill in, as a zod object. Default: nothing is looked at, all of it is kept. */
  readonly metadata?: z.ZodType<Metadata> | undefined
  /** What it may cost, by a list or by a function that is asked at each change of the form. Default: no plans. */
  readonly plans?:
    readonly BillingPlan[] | ((request: PlanRequest) => Promise<readonly BillingPlan[]>) | undefined
  /** How long provisioning or a change may take before it is given up, such as `'10 minutes'`, the default. */
  readonly deadline?: string | undefined
  /** How long old credentials stay good after a rotation when Vercel does not say. Default `'24 hours'`. */
  readonly keepOldSecrets?: string | undefined
  /** The provider behind the product: prepared at start-up, checked by `holdpoint doctor`, closed at the end. */
  readonly driver?: ResourceDriver | undefined
  /**
   * Makes the resource, or finds what an earlier try made, by `call.key`. The reference is kept in the installation
   * store and in Temporal's history in clear: ids and names, never a secret.
   */
  provision(call: ResourceCall<Metadata>): Promise<Reference>
  /**
   * The variables that the projects of the resource get. Prove every credential first. The same ones each time, until
   * they are rotated.
   */
  secrets(call: ProvisionedCall<Metadata, Reference>): Promise<Record<string, Secret | string>>
  /**
   * Does what a new name, plan or metadata asks for; `call` has the new ones, `before` the old. Answers the reference
   * from now on. Leave it out where nothing is to be done at the provider.
   */
  update?(
    call: ProvisionedCall<Metadata, Reference> & { readonly before: ResourceSettings<Metadata> },
  ): Promise<Reference>
  /**
   * Makes new credentials beside the old ones, which stay good. `secrets` tells the new ones for the reference that it
   * answers. The second time for the same rotation it answers the same.
   */
  rotate?(
    call: ProvisionedCall<Metadata, Reference> & { readonly rotationId: string },
  ): Promise<Reference>
  /** Ends every credential that is older than those of the reference. Succeeds when there is none. */
  expireSecrets?(call: ProvisionedCall<Metadata, Reference>): Promise<void>
  /**
   * Takes back all that was made for this key, half-made things too. Succeeds when there is nothing. Retried until it
   * holds.
   */
  deprovision(call: DeprovisionResourceCall<Reference>): Promise<void>
}

export interface ResourceSettings<Metadata> {
  readonly name: string
  readonly metadata: Metadata
  readonly billingPlanId?: string
}

export interface ResourceCall<Metadata> extends DriverCall, ResourceSettings<Metadata> {
  readonly key: ResourceKey
  /** The slug of the product. */
  readonly product: string
  readonly log: Log
}

export interface ProvisionedCall<Metadata, Reference> extends ResourceCall<Metadata> {
  readonly reference: Reference
}

export interface DeprovisionResourceCall<Reference> extends DriverCall {
  readonly key: ResourceKey
  readonly product: string
  readonly log: Log
  /** Unset when provisioning did not come to its end. */
  readonly reference?: Reference
}

/** For whom plans are asked; all of it may be unset, as while a customer only looks. */
export interface PlanRequest {
  readonly installationId?: string
  readonly resourceId?: string
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** Declares a product; its slug is the name it has in `defineConfig({ products })`, and in Vercel's Integration Console. */
export function provisionResource<Metadata = Record<string, unknown>, Reference = void>(
  definition: ProductDefinition<Metadata, Reference>,
): ProductDefinition<Metadata, Reference> {
  return Object.freeze({ ...definition })
}

/** A product whose metadata and reference types are its own business. */
// oxlint-disable-next-line typescript/no-explicit-any -- a map holds products of many types; `unknown` refuses them all
export type AnyProduct = ProductDefinition<any, any>

/** A product as the checked configuration declares it. */
export interface DeclaredProduct {
  readonly slug: string
  readonly definition: AnyProduct
  readonly deadlineMs: number
  readonly keepOldSecretsMs: number
}
