import type { ResourceDriver } from '../drivers/driver.ts'
import type { Config } from './define-config.ts'

/** The drivers behind actions, checks and products, each once. */
export function driversOf({
  actions,
  checks,
  products,
}: Pick<Config, 'actions' | 'checks' | 'products'>): ResourceDriver[] {
  const declared = [...actions.values(), ...checks.values(), ...products.values()]
  return [...new Set(declared.flatMap(({ definition }) => definition.driver ?? []))]
}

/** The drivers behind products alone, each once. */
export function productDrivers({ products }: Pick<Config, 'products'>): ResourceDriver[] {
  return driversOf({ actions: new Map(), checks: new Map(), products })
}
