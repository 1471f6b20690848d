import type { ResourceDriver } from '../drivers/driver.ts'
import type { Config } from './define-config.ts'

/** The drivers behind actions and checks, each once. */
export function driversOf({
  actions,
  checks,
}: Pick<Config, 'actions' | 'checks'>): ResourceDriver[] {
  const definitions = [...actions.values(), ...checks.values()].map(({ definition }) => definition)
  return [...new Set(definitions.flatMap(({ driver }) => driver ?? []))]
}
