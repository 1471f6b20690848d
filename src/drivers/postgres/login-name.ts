const MOST_DIGITS = 9

/** What the name of a login has beyond that of its resource, in bytes at most. */
export const LONGEST_LOGIN_SUFFIX = 1 + MOST_DIGITS

/** The role that a generation of a resource's credentials logs in as: `hpr_…_1`. */
export function loginName(resourceId: string, generation: number): string {
  return `${loginPrefix(resourceId)}${generation}`
}

export function loginPrefix(resourceId: string): string {
  return `${resourceId}_`
}

/** The generation in the name of a role; undefined for a role that is no login of the resource. */
export function generationOf(resourceId: string, role: string): number | undefined {
  const prefix = loginPrefix(resourceId)
  const digits = role.startsWith(prefix) ? role.slice(prefix.length) : ''
  return /^[1-9]\d*$/.test(digits) && digits.length <= MOST_DIGITS ? Number(digits) : undefined
}
