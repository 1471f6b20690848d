export { compensation } from './compensation.ts'
export { deploymentAction } from './deployment-action.ts'
export { reconciliation } from './reconciliation.ts'
export { readiness } from './readiness.ts'
