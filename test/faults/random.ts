/** Random numbers of a seed: the same on every machine. */
export interface Random {
  /** At least 0 and below 1. */
  next(): number
  chance(probability: number): boolean
  between(from: number, below: number): number
  pick<Item>(items: readonly Item[]): Item | undefined
}

/** The seed of this run: of `FAULTS_SEED`, to see a run again, else a new one. */
export function chooseSeed(): number {
  const given = Number(process.env['FAULTS_SEED'])
  return Number.isInteger(given) && given > 0 ? given : Math.floor(Math.random() * 2 ** 31)
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    chance: (probability) => next() < probability,
    between: (from, below) => from + next() * (below - from),
    pick: (items) => items[Math.floor(next() * items.length)],
  }
}
