import type { Dependencies } from './dependencies.ts'
import { createDeploymentActivities } from './deployment.ts'
import { createReportActivities } from './report.ts'
import { createResourceActivities } from './resource.ts'
import { createRunActivities } from './run.ts'

export type { Dependencies } from './dependencies.ts'

/** Every activity, bound to what it needs of the process. */
export function createActivities(dependencies: Dependencies) {
  return {
    ...createDeploymentActivities(dependencies),
    ...createReportActivities(dependencies),
    ...createResourceActivities(dependencies),
    ...createRunActivities(dependencies),
  }
}

export type Activities = ReturnType<typeof createActivities>
