import type { ZodError } from 'zod'
import type { VercelEvent } from '../domain/vercel-event.ts'

/** Reads the payload of one type of event: what is asked for, what is wrong with it, or why it is nothing to us. */
export type Reader = (
  payload: unknown,
  delivery: { readonly deliveryId: string; readonly occurredAt: number },
) => VercelEvent | ZodError | 'ignored' | { readonly kind: 'ignored'; readonly because: string }
