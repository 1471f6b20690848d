import { median } from '../statistics.ts'
import type { SystemId } from '../systems/system.ts'

export type Unit = 'ms' | 's' | '/s' | 'MiB' | '%' | ''

/** Something that is measured once a round of each system. */
export interface Figure {
  readonly name: string
  readonly unit: Unit
}

/** What was measured: a value for each round of each system, in the order of their first coming. */
export class Figures {
  readonly #values = new Map<string, { figure: Figure; bySystem: Map<SystemId, number[]> }>()

  /** NaN tells that the system could not do what was asked. */
  record(figure: Figure, system: SystemId, value: number): void {
    const row = this.#values.get(figure.name) ?? { figure, bySystem: new Map() }
    this.#values.set(figure.name, row)
    row.bySystem.set(system, [...(row.bySystem.get(system) ?? []), value])
  }

  /** The median of the rounds; undefined when it was not measured, NaN when most rounds failed. */
  median(figure: Figure, system: SystemId): number | undefined {
    const rounds = this.#values.get(figure.name)?.bySystem.get(system)
    if (!rounds) return undefined
    const done = rounds.filter((value) => !Number.isNaN(value))
    return done.length * 2 > rounds.length ? median(done) : Number.NaN
  }

  figures(): Figure[] {
    return [...this.#values.values()].map(({ figure }) => figure)
  }

  toJSON(): unknown {
    const rows = [...this.#values.values()].map(({ figure, bySystem }) => {
      const systems = [...bySystem].map(([system, rounds]) => [
        system,
        { median: this.median(figure, system), rounds },
      ])
      return [figure.name, { unit: figure.unit, ...Object.fromEntries(systems) }]
    })
    return Object.fromEntries(rows)
  }
}
