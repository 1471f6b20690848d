export { compensation } from './compensation.ts'
export { deploymentAction } from './deployment-action.ts'
export { readiness } from './readiness.ts'
