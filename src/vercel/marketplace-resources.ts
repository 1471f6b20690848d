import type { ResourceKey } from '../domain/resource-key.ts'
import type { Secret } from '../domain/secret.ts'
import { requestVercel, type VercelConnection } from './client.ts'
import { shorten } from './shorten.ts'

/** A resource as Vercel is to show it from now on; what is unset stays as it is. */
export interface ResourceUpdate {
  readonly status?: 'ready' | 'error'
  readonly name?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly billingPlan?: Readonly<Record<string, unknown>>
  readonly secrets?: Readonly<Record<string, Secret>>
  /** For the customer. */
  readonly problem?: { readonly title: string; readonly message: string }
}

interface ResourceCall extends ResourceKey {
  readonly signal?: AbortSignal
}

/**
 * Tells Vercel of a resource (PATCH …/resources/{id}); how Vercel answers the second time is not documented, and it is
 * the same then. Throws `VercelApiError`: 404 also while Vercel has not yet stored the answer that named the resource.
 */
export async function updateResource(
  connection: VercelConnection,
  call: ResourceCall,
  { secrets, problem, ...fields }: ResourceUpdate,
): Promise<void> {
  await requestVercel(connection, {
    method: 'PATCH',
    ...addressOf(call),
    body: {
      ...fields,
      ...(secrets && { secrets: revealed(secrets) }),
      ...(problem && {
        notification: {
          level: 'error',
          // Vercel takes 100 characters of it.
          title: Array.from(problem.title).slice(0, 100).join(''),
          message: shorten(problem.message),
        },
      }),
    },
  })
}

/** Hands Vercel the variables of a resource, all of them (PUT …/secrets). Throws `VercelApiError`. */
export async function replaceResourceSecrets(
  connection: VercelConnection,
  call: ResourceCall,
  secrets: Readonly<Record<string, Secret>>,
): Promise<void> {
  const { path, ...rest } = addressOf(call)
  await requestVercel(connection, {
    method: 'PUT',
    path: [...path, 'secrets'],
    ...rest,
    body: { secrets: revealed(secrets) },
  })
}

function addressOf({ installationId, resourceId, signal }: ResourceCall) {
  return {
    path: ['v1', 'installations', installationId, 'resources', resourceId],
    installationId,
    ...(signal && { signal }),
  }
}

function revealed(secrets: Readonly<Record<string, Secret>>): { name: string; value: string }[] {
  return Object.entries(secrets).map(([name, value]) => ({ name, value: value.reveal() }))
}
