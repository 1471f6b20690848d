import type { Secret } from './secret.ts'

/** What a succeeded action hands to Vercel: environment variables of that one deployment. */
export interface Outcome {
  readonly secrets: readonly OutcomeSecret[]
}

export interface OutcomeSecret {
  readonly name: string
  readonly value: Secret
}

// Vercel's documented limits on environment variables.
const MAX_TOTAL_BYTES = 65_536
const MAX_NAME_LENGTH = 256
const RESERVED_NAMES = new Set([
  'AWS_SECRET_KEY',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'NOW_REGION',
  'TZ',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
])
const PUBLIC_PREFIXES = ['NEXT_PUBLIC_', 'VITE_', 'NUXT_PUBLIC_', 'REACT_APP_', 'PUBLIC_']

/**
 * Everything about the outcome that Vercel would refuse or a visitor's browser would see, one sentence each; empty
 * when it may be sent. Sentences name the variable and never its value.
 */
export function outcomeProblems(outcome: Outcome): string[] {
  const names = outcome.secrets.map((secret) => secret.name)
  const problems = names.flatMap(nameProblems)
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    problems.push(`The variable ${name} is set twice: keep one of them.`)
  }
  const bytes = outcome.secrets.reduce(
    (sum, { name, value }) => sum + byteLength(name) + byteLength(value.reveal()),
    0,
  )
  if (bytes > MAX_TOTAL_BYTES) {
    problems.push(
      `The variables take ${bytes} bytes together, and Vercel takes ${MAX_TOTAL_BYTES} per deployment: send fewer or shorter ones.`,
    )
  }
  return problems
}

function nameProblems(name: string): string[] {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.length > MAX_NAME_LENGTH) {
    return [
      `The variable name ${JSON.stringify(name.slice(0, 80))} is not allowed: use letters, digits and underscores, at most ${MAX_NAME_LENGTH}, not starting with a digit.`,
    ]
  }
  if (RESERVED_NAMES.has(name))
    return [`The variable name ${name} is reserved by Vercel: choose another.`]
  const prefix = PUBLIC_PREFIXES.find((candidate) => name.startsWith(candidate))
  if (prefix) {
    return [
      `The variable ${name} would be built into browser bundles: choose a name without ${prefix}.`,
    ]
  }
  return []
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}
