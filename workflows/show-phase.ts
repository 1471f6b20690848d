import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'
import type { ActionEnd } from '../src/domain/action-run.ts'
import type { CheckRunEnd } from '../src/domain/check-run.ts'
import { phaseKey } from './search-attributes.ts'

/**
 * Shows where the run stands: in words on the run's page, and as a search attribute in Temporal's list. Of a released
 * build the list says enough by itself, and each change of an attribute costs the server as much as half a start.
 */
export function showPhase({ phase, because }: ActionEnd | CheckRunEnd): void {
  if (phase !== 'succeeded') upsertSearchAttributes([{ key: phaseKey, value: phase }])
  setCurrentDetails(`**${phase}**: ${because}`)
}
