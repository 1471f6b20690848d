import type { Dials } from './dials.ts'
import type { StatusUpdate } from './validate-update.ts'

/** The variables that an update sets, named as the build will see them. */
export function outcomeVariables(
  update: StatusUpdate,
  { outcomePrefix }: Dials,
): Record<string, string> {
  const secrets = (update.outcomes ?? []).flatMap((outcome) => outcome.secrets)
  return Object.fromEntries(secrets.map(({ name, value }) => [outcomePrefix + name, value]))
}
