import type { DeclaredCheck } from '../src/checks/define-check.ts'
import type { CheckVerdict } from '../src/domain/check-run.ts'

/** The check of this name: Vercel tells what a run is of by nothing else that we know. */
export function checkNamed(
  checks: ReadonlyMap<string, DeclaredCheck>,
  name: string | undefined,
): DeclaredCheck | undefined {
  return [...checks.values()].find(({ definition }) => definition.name === name)
}

/** What a run comes to whose check the configuration does not have, or no longer. It holds up nothing. */
export function notDeclared(
  checks: ReadonlyMap<string, DeclaredCheck>,
  name: string | undefined,
): CheckVerdict & { conclusion: 'neutral' } {
  const known = [...checks.values()].map(({ definition }) => definition.name).join(', ') || 'none'
  const what =
    name === undefined ? 'whose name Vercel does not tell' : JSON.stringify(name.slice(0, 63))
  return {
    conclusion: 'neutral',
    text: `The provider has no check ${what} (it has ${known}), so nothing was checked: delete it in the project's settings, or declare it in temporal.config.ts.`,
  }
}
