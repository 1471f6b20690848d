import { Secret } from '../domain/secret.ts'
import type { ActionPolicy } from './action-policy.ts'
import { type ActionDefinition, defineAction, type Environment } from './define-action.ts'

export interface SetEnvironmentSettings {
  readonly name: string
  readonly description?: string
  readonly suggest?: readonly Environment[]
  readonly deadline?: string
  /** For whom it works; it makes nothing that a quota or a time to live would be for. */
  readonly policy?: ActionPolicy
  /** The variables of each deployment that runs the action. Values are treated as secrets. */
  readonly variables: Record<string, string>
}

/** Sets environment variables that come from the configuration alone. Leaves nothing behind at any provider. */
export function setEnvironment(
  settings: SetEnvironmentSettings,
): ActionDefinition<Record<never, never>, void> {
  const { variables, ...declaration } = settings
  const outcome = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, new Secret(value)]),
  )
  return defineAction({ ...declaration, outcome: () => Promise.resolve(outcome) })
}
