import type { CheckRegistration, RegisteredChecks } from '../src/domain/check-registration.ts'
import { registerChecks } from './activities.ts'
import { explainFailure } from './explain-failure.ts'

/**
 * Registers the declared checks with a project that a resource was connected to. Looks first at what is there, so the
 * second time it changes nothing. Ends as Failed when Vercel refuses one of them for good; the others are registered
 * all the same.
 */
export async function checkRegistration(
  registration: CheckRegistration,
): Promise<RegisteredChecks> {
  try {
    return await registerChecks(registration)
  } catch (error) {
    throw explainFailure(error)
  }
}
