import type { Outcome } from './outcome.ts'

/** What Vercel is told of an action. At most one of the two last kinds is ever meant for it. */
export type ActionStatus =
  | { readonly kind: 'running'; readonly progress?: string }
  | {
      readonly kind: 'succeeded'
      readonly outcome: Outcome
      /** What people should know of a success that is not the usual one. */
      readonly note?: string
    }
  | { readonly kind: 'failed'; readonly reason: string }
