import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'

// Plain text in Temporal even where payloads are encrypted: ids and states only.

export const installationKey = defineSearchAttributeKey(
  'HoldpointInstallation',
  SearchAttributeType.KEYWORD,
)
export const resourceKey = defineSearchAttributeKey(
  'HoldpointResource',
  SearchAttributeType.KEYWORD,
)
export const deploymentKey = defineSearchAttributeKey(
  'HoldpointDeployment',
  SearchAttributeType.KEYWORD,
)
export const actionKey = defineSearchAttributeKey('HoldpointAction', SearchAttributeType.KEYWORD)
/** An `ActionPhase`, or how a check ended; not set of a run that is at work, or ended as `succeeded`. */
export const phaseKey = defineSearchAttributeKey('HoldpointPhase', SearchAttributeType.KEYWORD)

/** All that Holdpoint sets; registered with the namespace at start-up. */
export const searchAttributeKeys = [
  installationKey,
  resourceKey,
  deploymentKey,
  actionKey,
  phaseKey,
]
