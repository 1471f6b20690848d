import { isCancellation, setCurrentDetails, workflowInfo } from '@temporalio/workflow'
import {
  type ActResult,
  type Case,
  chooseActs,
  describeReport,
  joinSurveys,
  type ReconciliationReport,
  type ReconciliationRequest,
  type Suspect,
  type Survey,
} from '../src/domain/reconciliation-run.ts'
import { reconcile, survey, surveyedActions } from './activities.ts'
import { explainFailure } from './explain-failure.ts'

/**
 * Finds what webhooks never told us: surveys what every action made, and has what nobody needs destroyed, what has had
 * its time expired, and held builds resumed. Destroys nothing itself: the runs of the actions' own keys do.
 *
 * Its result is its memory: the next run of a Schedule goes on from it, and without one the grace begins anew. What
 * cannot be surveyed or done now is told in the result, and found again the next time.
 */
export async function reconciliation(
  request: ReconciliationRequest,
): Promise<ReconciliationReport> {
  const { policy, apply, suspects = lastSuspects() } = request
  const surveys: Survey[] = []
  const unsurveyed: { action: string; because: string }[] = []
  for (const action of await surveyedActions()) {
    const known = suspects.filter((suspect) => suspect.action === action)
    try {
      surveys.push(await survey({ action, policy, suspects: known }))
    } catch (error) {
      unsurveyed.push({ action, because: reasonOf(error) })
      // What could not be looked at may be as gone as it was.
      surveys.push({ counts: {}, cases: [], suspects: known })
    }
  }
  const found = joinSurveys(surveys)
  const acts: (Case & { result: ActResult })[] = []
  for (const each of apply ? chooseActs(found.cases, policy.cap) : []) {
    const result = await reconcile({ found: each, policy }).catch((error: unknown): ActResult => ({
      kind: 'failed',
      because: reasonOf(error),
    }))
    acts.push({ ...each, result })
  }
  const report = { ...found, acts, unsurveyed }
  setCurrentDetails(describeReport(report))
  return report
}

function lastSuspects(): readonly Suspect[] {
  const last = workflowInfo().lastResult as Partial<ReconciliationReport> | undefined
  return last?.suspects ?? []
}

function reasonOf(error: unknown): string {
  if (isCancellation(error)) throw error
  return explainFailure(error).message
}
