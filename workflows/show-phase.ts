import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'
import type { ActionEnd } from '../src/domain/action-run.ts'
import { phaseKey } from './search-attributes.ts'

/** Shows where the run stands: as a search attribute in Temporal's list, and in words on the run's page. */
export function showPhase({ phase, because }: ActionEnd): void {
  upsertSearchAttributes([{ key: phaseKey, value: phase }])
  setCurrentDetails(`**${phase}**: ${because}`)
}
