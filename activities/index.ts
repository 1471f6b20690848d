import { createActionEndActivities } from './action-end.ts'
import { createAnnouncementActivities } from './announcement.ts'
import { createCheckRegistrationActivities } from './check-registration.ts'
import { createCheckRunActivities } from './check-run.ts'
import type { Dependencies } from './dependencies.ts'
import { createDeploymentCheckActivities } from './deployment-check.ts'
import { createOpeningActivities } from './opening.ts'
import { createInstallationActivities } from './installation.ts'
import { createProductActivities } from './product.ts'
import { createReconciliationActivities } from './reconciliation.ts'
import { createReportActivities } from './report.ts'
import { createResourceActivities } from './resource.ts'
import { createRunActivities } from './run.ts'
import { createWithdrawalActivities } from './withdraw.ts'

export { readOpening } from './opening.ts'
export type { ActionRuns, Dependencies } from './dependencies.ts'
export { HeadStarts, type OpeningRead } from './head-start.ts'

/** Every activity, bound to what it needs of the process. */
export function createActivities(dependencies: Dependencies) {
  return {
    ...createActionEndActivities(dependencies),
    ...createAnnouncementActivities(dependencies),
    ...createCheckRegistrationActivities(dependencies),
    ...createCheckRunActivities(dependencies),
    ...createDeploymentCheckActivities(dependencies),
    ...createInstallationActivities(dependencies),
    ...createOpeningActivities(dependencies),
    ...createProductActivities(dependencies),
    ...createReconciliationActivities(dependencies),
    ...createReportActivities(dependencies),
    ...createResourceActivities(dependencies),
    ...createRunActivities(dependencies),
    ...createWithdrawalActivities(dependencies),
  }
}

export type Activities = ReturnType<typeof createActivities>
