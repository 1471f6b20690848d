import type { ActionKey } from './action-key.ts'

/**
 * What Vercel wants of an action. Webhooks come in any order and more than once, so wishes join: the later one in
 * this list wins, whenever it arrives.
 */
export type Wish = 'run' | 'canceled' | 'cleaned'

const ORDER: readonly Wish[] = ['run', 'canceled', 'cleaned']

/** The stronger of two wishes. */
export function joinWishes(one: Wish, other: Wish): Wish {
  return ORDER.indexOf(one) >= ORDER.indexOf(other) ? one : other
}

/** A start, cancel or cleanup webhook, read and checked. */
export interface ActionEvent {
  readonly key: ActionKey
  readonly wish: Wish
  /** Vercel's id of the delivery. Whether a redelivery keeps it is not documented, so nothing depends on it. */
  readonly deliveryId: string
  /** When Vercel generated the event, in milliseconds since 1970. */
  readonly occurredAt: number
  readonly teamId?: string
  /** Values of the action's options, where Vercel sends them; no public document says that it does. */
  readonly options?: Record<string, unknown>
}
