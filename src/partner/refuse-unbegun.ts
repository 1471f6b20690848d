import { PartnerError } from './partner-error.ts'
import type { ResourceProgress } from './resource-door.ts'

/** Whether it is done or goes on. Throws a `PartnerError` (409) when it was given up, or not even begun. */
export function refuseUnbegun(progress: ResourceProgress): 'done' | 'goes-on' {
  switch (progress.kind) {
    case 'done':
    case 'goes-on':
      return progress.kind
    case 'failed':
      throw new PartnerError(
        409,
        'given_up',
        'The provider gave this up, and nothing of it is left: the customer is told why, and may ask for it anew.',
        { userMessage: progress.message },
      )
    case 'busy':
      throw new PartnerError(
        409,
        'resource_busy',
        'Something else is being done to this resource, so nothing was begun: send the request again in a moment.',
        {
          userMessage: 'Something else is being done to this resource. Try again in a minute.',
          passing: true,
        },
      )
  }
}
