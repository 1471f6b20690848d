import { z } from 'zod'
import type { BillingPlan } from '../../src/products/billing-plan.ts'
import {
  type AnyProduct,
  type DeclaredProduct,
  type PlanRequest,
  provisionResource,
} from '../../src/products/provision-resource.ts'

const planOf = (changes: Pick<BillingPlan, 'id'> & Partial<BillingPlan>): BillingPlan => ({
  type: 'subscription',
  name: changes.id,
  description: 'A plan',
  ...changes,
})

export const FREE = planOf({ id: 'free', cost: '€0' })
export const PRO = planOf({ id: 'pro' })
export const OLD = planOf({ id: 'old', disabled: true })
export const TEAM = planOf({ id: 'team', scope: 'installation' })

export interface ProductsUnderTest {
  readonly products: ReadonlyMap<string, DeclaredProduct>
  /** What the function for the plans of `asked` was called with, and what it answers. */
  readonly planRequests: PlanRequest[]
  plansAnswer: () => unknown
}

/**
 * `postgres` with all that a product may have, `plain` with nothing, `shared` whose plans are the installation's, and
 * `asked` whose plans a function tells.
 */
export function productsUnderTest(): ProductsUnderTest {
  const made = { provision: () => Promise.resolve(), deprovision: () => Promise.resolve() }
  const secrets = () => Promise.resolve({})
  const subject: ProductsUnderTest = {
    products: new Map([
      declared(
        'postgres',
        provisionResource<{ region: string; size: number }>({
          ...made,
          name: 'Postgres',
          metadata: z.object({
            region: z.enum(['fra1', 'iad1']),
            size: z.number().int().default(1),
          }),
          plans: [FREE, PRO, OLD, TEAM],
          secrets,
          rotate: () => Promise.resolve(),
        }),
      ),
      declared('plain', provisionResource({ ...made, name: 'Plain', secrets })),
      declared('shared', provisionResource({ ...made, name: 'Shared', plans: [TEAM], secrets })),
      declared(
        'asked',
        provisionResource({
          ...made,
          name: 'Asked',
          secrets,
          async plans(request) {
            subject.planRequests.push(request)
            return subject.plansAnswer() as BillingPlan[]
          },
        }),
      ),
    ]),
    planRequests: [],
    plansAnswer: () => [PRO],
  }
  return subject
}

function declared(slug: string, definition: AnyProduct): [string, DeclaredProduct] {
  return [slug, { slug, definition, deadlineMs: 600_000, keepOldSecretsMs: 24 * 3_600_000 }]
}
