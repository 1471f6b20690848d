/**
 * Whether one of the globs matches the whole name of the git branch: `*` stands for any characters but `/`, `**` for
 * any at all, `?` for one character but `/`, and everything else for itself. Case counts, as it does in git.
 */
export function matchesAny(globs: readonly string[], gitBranch: string): boolean {
  // Whoever deploys through Vercel's API may write the ref in full.
  const name = gitBranch.replace(/^refs\/heads\//, '')
  return globs.some((glob) => matches(glob, name))
}

// Not a regular expression: anybody may name a git branch, and some would keep one busy for minutes. Here the time
// grows with both lengths and no further.
function matches(glob: string, name: string): boolean {
  const tokens = glob.match(/\*\*|./gsu) ?? []
  /** How many tokens what was read of the name may have used up. */
  let states = reach(tokens, 0, new Set())
  for (const character of name) {
    const next = new Set<number>()
    for (const at of states) {
      const token = tokens[at]
      if (token === '**' || (token === '*' && character !== '/')) reach(tokens, at, next)
      else if (token === character || (token === '?' && character !== '/'))
        reach(tokens, at + 1, next)
    }
    states = next
  }
  return states.has(tokens.length)
}

/** Adds this state, and those behind the stars that come next, as a star may stand for nothing. */
function reach(tokens: readonly string[], from: number, states: Set<number>): Set<number> {
  states.add(from)
  for (let at = from; tokens[at]?.startsWith('*') === true; at++) states.add(at + 1)
  return states
}
