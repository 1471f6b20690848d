export type { ActionPolicy, PolicyQuota } from './actions/action-policy.ts'
export { type BranchDatabaseSettings, branchDatabase } from './actions/branch-database.ts'
export type { BranchScope } from './actions/branch-of.ts'
export { command, type CommandOptions } from './actions/command.ts'
export type { Migration, BranchStepCall } from './actions/migration.ts'
export type { SqlFilesOptions } from './actions/read-sql-files.ts'
export { sqlFiles } from './actions/sql-files.ts'
export {
  type CheckReadinessSettings,
  checkReadiness,
  httpProbe,
  type Probe,
  sqlProbe,
} from './actions/check-readiness.ts'
export {
  type ActionCall,
  type ActionDefinition,
  defineAction,
  type DeprovisionCall,
  type Environment,
  type ListCall,
  type OutcomeCall,
  type ProvisionCall,
  type ProvisionedObject,
  type QuotaPlace,
} from './actions/define-action.ts'
export { type SetEnvironmentSettings, setEnvironment } from './actions/set-environment.ts'
export { type BranchCheck, branchCheck, type BranchCheckSettings } from './checks/branch-check.ts'
export {
  type CheckCall,
  type CheckDefinition,
  type CheckResult,
  defineCheck,
} from './checks/define-check.ts'
export { migrationsApplied } from './checks/migrations-applied.ts'
export { smokeQuery } from './checks/smoke-query.ts'
export {
  type Config,
  type ConfigFile,
  defineConfig,
  InvalidConfig,
} from './config/define-config.ts'
export type { ReconciliationFile, ReconciliationSettings } from './config/reconciliation.ts'
export type { ActionKey } from './domain/action-key.ts'
export type { CheckRunKey } from './domain/check-run.ts'
export {
  type BranchOwner,
  type BranchRef,
  branchRef,
  type GitBranchKey,
  sharedBranchRef,
} from './domain/branch-ref.ts'
export type { Deployment } from './domain/deployment.ts'
export { ActionFailure } from './domain/failure.ts'
export type { Finding } from './domain/finding.ts'
export type { GitBranchRule, Treatment } from './domain/policy.ts'
export type { ResourceKey } from './domain/resource-key.ts'
export { Secret } from './domain/secret.ts'
export type {
  BranchClaim,
  BranchConnection,
  BranchRecord,
  BranchSharing,
  DriverCall,
  EmbeddedServers,
  ResourceConnection,
  ResourceDriver,
  ResourceProvisioning,
  ResourceRequest,
} from './drivers/driver.ts'
export { http, type HttpDriver } from './drivers/http/driver.ts'
export type { HttpOptions } from './drivers/http/read-options.ts'
export { type HttpDriverRequest, verifyHttpDriverRequest } from './drivers/http/verify-request.ts'
export { neon } from './drivers/neon/driver.ts'
export { postgres } from './drivers/postgres/driver.ts'
export type { AccessTokenSource } from './installations/access-token.ts'
export { fromEndpoint, type TokenEndpoint } from './installations/from-endpoint.ts'
export { fromEnvironment } from './installations/from-environment.ts'
export { fromStore } from './installations/from-store.ts'
export type { Log } from './log.ts'
export type { BillingPlan } from './products/billing-plan.ts'
export {
  type DatabaseReference,
  provisionDatabase,
  type ProvisionDatabaseSettings,
} from './products/provision-database.ts'
export {
  type DeprovisionResourceCall,
  type PlanRequest,
  type ProductDefinition,
  type ProvisionedCall,
  provisionResource,
  type ResourceCall,
  type ResourceSettings,
} from './products/provision-resource.ts'
