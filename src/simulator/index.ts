export type { ActionEventType } from './build-webhook.ts'
export type { CheckConclusion, CheckRunSnapshot, ProjectCheck } from './check.ts'
export type { CheckRunEventType } from './check-event.ts'
export type { DeploymentCheckSnapshot } from './deployment-check.ts'
export type { DeploymentEventType } from './deployment-event.ts'
export type { Fault, FaultAnswer, RandomFaults, RequestKind } from './choose-fault.ts'
export type { ConnectionEventKind, ConnectionEventType } from './connection-event.ts'
export type { RateLimit } from './count-requests.ts'
export type { DeployOptions } from './create-deployment.ts'
export type {
  ActionSnapshot,
  ActionState,
  DeploymentSnapshot,
  Integrations,
  ReadyState,
} from './deployment.ts'
export { defaultDials, type Dials, type LateCheckAnswer, type LateUpdateAnswer } from './dials.ts'
export { PartnerFault, PartnerRefusal } from './judge-answer.ts'
export type { WebhookAnswer } from './post-webhook.ts'
export type {
  ChosenAction,
  Connection,
  ConnectionChoice,
  DeclaredAction,
  Installation,
  Product,
  Project,
} from './project.ts'
export type { ProvisionRequest } from './provision-resource.ts'
export type { ResourceRef, ResourceSnapshot } from './resource.ts'
export type { ResourceMoves } from './resource-moves.ts'
export type { BillingPlan, Notification, ResourceStatus } from './resource-schema.ts'
export type { RotationRequest } from './rotate-secrets.ts'
export type { HeldSelection, RetrySchedule } from './send-webhooks.ts'
export type {
  ActionChoice,
  CreateProjectOptions,
  RawWebhook,
  Simulator,
  SimulatorOptions,
} from './simulator.ts'
export { signWebhook } from './sign-webhook.ts'
export { startSimulator } from './start-simulator.ts'
export type { ActionEventKind, CheckRunEventKind, DeploymentEventKind } from './surroundings.ts'
export type {
  DeploymentChange,
  DeploymentRecord,
  PartnerRecord,
  RequestRecord,
  ResourceChange,
  ResourceRecord,
  TimelineEvent,
  WebhookRecord,
  WebhookResult,
} from './timeline.ts'
export type { ResourceUpdate } from './update-resource.ts'
export type { WaitOptions } from './wait-until.ts'
