const MAX_TOTAL_BYTES = 65_536
const MAX_NAME_LENGTH = 256
const MAX_VALUE_LENGTH = 65_536
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

export interface NamedValue {
  readonly name: string
  readonly value: string
  /** Where the variable stands in the request, for the message. */
  readonly path: string
}

/**
 * The first rule for environment variables that these break, naming the field and no value; undefined when none.
 * `whole` is the field that holds all of them.
 */
export function environmentProblem(
  variables: readonly NamedValue[],
  whole: string,
): string | undefined {
  const seen = new Set<string>()
  for (const variable of variables) {
    const problem = variableProblem(variable)
    if (problem) return problem
    if (seen.has(variable.name))
      return `${variable.path}.name: the variable ${variable.name} is set twice`
    seen.add(variable.name)
  }
  const env = Object.fromEntries(variables.map(({ name, value }) => [name, value]))
  return isTooLarge(env) ? `${whole}: the variables exceed ${MAX_TOTAL_BYTES} bytes` : undefined
}

/** Whether the names and values of an environment exceed the 64 KB a deployment may have. */
export function isTooLarge(env: Readonly<Record<string, string>>): boolean {
  const bytes = Object.entries(env).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  )
  return bytes > MAX_TOTAL_BYTES
}

function variableProblem({ name, value, path }: NamedValue): string | undefined {
  if (name.length === 0 || name.length > MAX_NAME_LENGTH)
    return `${path}.name: should have 1 to ${MAX_NAME_LENGTH} characters`
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    return `${path}.name: should have letters, digits and underscores only, and not start with a digit`
  if (RESERVED_NAMES.has(name)) return `${path}.name: the variable ${name} is reserved`
  if (value.length > MAX_VALUE_LENGTH)
    return `${path}.value: should have at most ${MAX_VALUE_LENGTH} characters`
  return undefined
}
