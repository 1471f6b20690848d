import { workflowId } from './workflow-id.ts'

/** What a removal of an installation is started with. */
export interface RemovalRequest {
  readonly installationId: string
  /** One sentence for whoever opens the runs that it withdraws. */
  readonly because: string
}

/** What a look at an installation that is being removed came to. */
export interface RemovalPass {
  /** How many open runs and objects of it were found. All of them were told to go. */
  readonly found: number
}

/** The workflow id of the removal: one for each installation, whoever asks for it and how often. */
export function removalWorkflowId(installationId: string): string {
  return workflowId('installation-removal', installationId)
}
