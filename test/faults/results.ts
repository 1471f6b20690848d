import { readFile, writeFile } from 'node:fs/promises'

/** What a scenario came to. */
export interface Result {
  readonly scenario: string
  readonly actions: number
  /** What went wrong on purpose, by name. */
  readonly faults: Readonly<Record<string, number>>
  readonly violations: readonly string[]
  /** From the last fault until nothing was under way any more. */
  readonly drainMs: number
  readonly seed: number
  /** How many actions ended how. */
  readonly ends: Readonly<Record<string, number>>
  readonly figures: Readonly<Record<string, number | string>>
}

/** Prints one line, and puts the result into the JSON file that `FAULTS_REPORT` names, in place of an older one. */
export async function writeResult(result: Result): Promise<void> {
  const injected = Object.values(result.faults).reduce((sum, number) => sum + number, 0)
  console.log(
    [
      result.scenario,
      `${result.actions} actions (${list(result.ends)})`,
      `${injected} faults (${list(result.faults)})`,
      `${result.violations.length} violations`,
      `drained in ${(result.drainMs / 1_000).toFixed(1)} s`,
      ...Object.entries(result.figures).map(([name, figure]) => `${name} ${figure}`),
      `seed ${result.seed}`,
    ].join(' | '),
  )
  for (const violation of result.violations) console.log(`  VIOLATION ${violation}`)
  const file = process.env['FAULTS_REPORT']
  if (!file) return
  const others = (await readResults(file)).filter(({ scenario }) => scenario !== result.scenario)
  await writeFile(file, `${JSON.stringify([...others, result], null, 2)}\n`)
}

async function readResults(file: string): Promise<Result[]> {
  const text = await readFile(file, 'utf8').catch(() => '[]')
  return JSON.parse(text) as Result[]
}

function list(numbers: Readonly<Record<string, number>>): string {
  return Object.entries(numbers)
    .map(([name, number]) => `${number} ${name}`)
    .join(', ')
}
