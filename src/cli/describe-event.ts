import { z } from 'zod'
import type { RequestRecord, TimelineEvent } from '../simulator/index.ts'

const updateSchema = z.object({ status: z.string().optional(), conclusion: z.string().optional() })

/** What the local Vercel saw, in a line for people; undefined for what a story need not tell. */
export function describeEvent(event: TimelineEvent): string | undefined {
  switch (event.kind) {
    case 'webhook': {
      const kind = event.type.split('.').at(-1)
      const answer = event.result.kind === 'answered' ? event.result.status : event.result.kind
      const what = [kind, event.action].filter((word) => word !== undefined).join(' ')
      return `Vercel    → webhook ${what}, answered ${answer}`
    }
    case 'request': {
      const what = describeRequest(event)
      return what && `Holdpoint → ${what}, answered ${event.status}`
    }
    case 'partner':
      return `Vercel    → ${event.method} ${event.path}, answered ${event.status ?? 'nothing'}`
    case 'deployment':
      return event.change.startsWith('action-')
        ? undefined
        : `Vercel      deployment ${event.deploymentId} ${event.change}`
    case 'resource':
      return undefined
  }
}

function describeRequest({ method, path, body }: RequestRecord): string | undefined {
  const { status, conclusion } = updateSchema.catch({}).parse(body)
  if (path.includes('/check-runs/')) return status && `its check is ${conclusion ?? status}`
  if (path.includes('/actions/')) return `${path.split('/').at(-1)} is ${status}`
  return method === 'GET' && path.includes('/deployments/') ? 'reads the deployment' : undefined
}
