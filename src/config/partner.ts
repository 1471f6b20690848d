import { z } from 'zod'

/** What an operator writes under `partner`. */
export interface PartnerFile {
  /**
   * Asked before an installation is removed at a customer's wish: answers a sentence for the customer where it is to
   * stay for now, as with an unpaid bill. Vercel then keeps it. Not asked when Vercel tells that it is gone already.
   * May be asked more than once for the same removal.
   */
  readonly refuseRemoval?: (request: {
    readonly installationId: string
    readonly reason?: string
  }) => Promise<string | undefined>
}

export const partnerSchema = z.strictObject({
  refuseRemoval: z.custom((value) => typeof value === 'function', 'must be a function').optional(),
})
