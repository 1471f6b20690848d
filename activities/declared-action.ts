import type { AnyAction, DeclaredAction } from '../src/actions/define-action.ts'
import { ActionFailure } from '../src/domain/failure.ts'

/** The action with this slug. Throws a final `ActionFailure` when the configuration has none. */
export function declaredAction(
  actions: ReadonlyMap<string, DeclaredAction>,
  slug: string,
): DeclaredAction {
  const declared = actions.get(slug)
  if (declared) return declared
  const known = [...actions.keys()].join(', ') || 'none'
  throw new ActionFailure(
    'action_not_declared',
    `The provider has no action ${JSON.stringify(slug.slice(0, 63))} (it has ${known}), so nothing can be done for it: choose another in the project's settings, or declare it in temporal.config.ts.`,
    { retryable: false },
  )
}

/** Checks the values a customer set. Throws a final `ActionFailure` that names each wrong field, never its value. */
export function checkOptions(definition: AnyAction, values: Record<string, unknown>): unknown {
  if (!definition.options) return {}
  const checked = definition.options.safeParse(values)
  if (checked.success) return checked.data
  const fields = checked.error.issues.map(
    (issue) => `${issue.path.join('.') || 'options'}: ${issue.message}`,
  )
  throw new ActionFailure(
    'options_invalid',
    `The action's options cannot be used, so nothing was made. Correct them in the project's settings: ${fields.join('; ')}`,
    { retryable: false },
  )
}
