import type { ZodError } from 'zod'
import type { VercelEvent } from '../domain/vercel-event.ts'

/** Reads the payload of one type of event: what is asked for, or what is wrong with it. */
export type Reader = (
  payload: unknown,
  delivery: { readonly deliveryId: string; readonly occurredAt: number },
) => VercelEvent | ZodError | 'ignored'
