import { branchOf, type BranchScope } from '../actions/branch-of.ts'
import { onBranch } from '../actions/on-branch.ts'
import { branchScrubber } from '../actions/scrub-branch.ts'
import type { BranchConnection, ResourceDriver } from '../drivers/driver.ts'
import {
  type CheckCall,
  type CheckDefinition,
  type CheckResult,
  defineCheck,
} from './define-check.ts'

/** Checks a branch. The branch's password and URL are blanked in what it returns. */
export type BranchCheck = (branch: BranchConnection, call: CheckCall) => Promise<CheckResult>

export interface BranchCheckSettings extends Omit<CheckDefinition, 'run' | 'after' | 'driver'> {
  /** The driver of the action, or another one for the same provider. */
  readonly driver: ResourceDriver
  /** The slug of the `branchDatabase` action that makes the branch. */
  readonly action: string
  /** As the action has it. Default `'deployment'`. */
  readonly scope?: BranchScope
  readonly check: BranchCheck
}

/**
 * Checks the branch that an action made for the deployment, once it has: with the branch's own role, and while no other
 * deployment's step works on it where it is shared. Default `targets`: `['preview']`.
 */
export function branchCheck(settings: BranchCheckSettings): CheckDefinition {
  const { driver, action, scope = 'deployment', check, ...declaration } = settings
  return defineCheck({
    targets: ['preview'],
    ...declaration,
    driver,
    after: action,
    async run(call) {
      const { action: key, deployment } = call
      if (!key)
        return {
          conclusion: 'neutral',
          text: 'Vercel did not tell which resource the check is about, so no branch was checked: connect the resource to the project anew.',
        }
      const ref = branchOf({ key, deployment }, scope)
      return await onBranch({ driver, ref }, call, async (branch, signal) =>
        blanked(await check(branch, { ...call, signal }), branchScrubber(branch)),
      )
    },
  })
}

function blanked(result: CheckResult, scrub: (text: string) => string): CheckResult {
  return JSON.parse(JSON.stringify(result), (_, value: unknown) =>
    typeof value === 'string' ? scrub(value) : value,
  ) as CheckResult
}
