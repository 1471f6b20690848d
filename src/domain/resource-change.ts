/** What is to be changed of a resource that is there. */
export type ResourceChange =
  | {
      readonly kind: 'update'
      readonly changes: {
        readonly name?: string
        readonly metadata?: Readonly<Record<string, unknown>>
        readonly billingPlanId?: string
        /** What Vercel keeps with the resource; the product is not told of it. */
        readonly protocolSettings?: Readonly<Record<string, unknown>>
      }
    }
  | {
      readonly kind: 'rotation'
      /** The same for the same request. */
      readonly rotationId: string
      /** For how long the old credentials stay good, in milliseconds. */
      readonly keepOldMs: number
    }
