import { z } from 'zod'
import { parseDuration } from '../domain/duration.ts'
import type { ReconciliationPolicy } from '../domain/reconciliation.ts'

/** What an operator writes under `reconciliation`. */
export interface ReconciliationFile {
  /** How often to look. Default `'15 minutes'`. */
  readonly every?: string
  /** Nothing younger is taken away. Default `'1 hour'`. */
  readonly minAge?: string
  /**
   * How long what was made for a deployment outlives its deletion. Default `'31 days'`: Vercel can restore a deployment
   * for 30 days, and redelivers a lost cleanup for one.
   */
  readonly grace?: string
  /** How many objects one look takes back or resumes at most. Default 20. */
  readonly cap?: number
}

export interface ReconciliationSettings extends ReconciliationPolicy {
  /** Undefined: only `holdpoint gc` looks. */
  readonly everyMs: number | undefined
}

const DEFAULTS = { every: '15 minutes', minAge: '1 hour', grace: '31 days', cap: 20 }
const MAX_CAP = 1000

/** A duration, or 0. */
export const durationSchema = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, "must be a duration such as '1 hour'")

export const capSchema = z
  .number(`must be a whole number from 1 to ${MAX_CAP}`)
  .int(`must be a whole number from 1 to ${MAX_CAP}`)
  .min(1, `must be a whole number from 1 to ${MAX_CAP}`)
  .max(MAX_CAP, `must be a whole number from 1 to ${MAX_CAP}`)

const MIN_EVERY_MS = 60_000
const MAX_EVERY_MS = 24 * 3_600_000

export const reconciliationSchema = z.union([
  z.literal(false),
  z.object({
    every: z
      .string()
      .refine((text) => {
        const value = parseDuration(text)
        return value !== undefined && value >= MIN_EVERY_MS && value <= MAX_EVERY_MS
      }, "must be a duration from '1 minute' to '1 day'")
      .optional(),
    minAge: durationSchema.optional(),
    grace: durationSchema.optional(),
    cap: capSchema.optional(),
  }),
])

/** Fills in the defaults of settings that were checked. */
export function reconciliationSettings(
  file: ReconciliationFile | false = {},
): ReconciliationSettings {
  const { every, minAge, grace, cap } = { ...DEFAULTS, ...file }
  return {
    everyMs: file === false ? undefined : parseDuration(every),
    minAgeMs: parseDuration(minAge) ?? 0,
    graceMs: parseDuration(grace) ?? 0,
    cap,
  }
}
