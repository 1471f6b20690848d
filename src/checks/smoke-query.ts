import type { BranchCheck } from './branch-check.ts'
import { queryBranch } from './query-branch.ts'

/** Succeeds when the branch answers the query, as `branchCheck({ check: smokeQuery('select count(*) from users') })`. */
export function smokeQuery(query: string): BranchCheck {
  return (branch, call) =>
    queryBranch(branch, call, async (connection) => {
      await connection.query(query)
      return { conclusion: 'succeeded', text: 'The branch answers the query.' }
    })
}
