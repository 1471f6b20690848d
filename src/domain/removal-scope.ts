/**
 * What is to be taken back: all that carries each of these ids. One of an installation, or of a deployment: nothing
 * else says enough, and a scope without any id would be everything.
 */
export type RemovalScope =
  | { readonly installationId: string; readonly resourceId?: string }
  | { readonly deploymentId: string }

/** Whether what carries these ids is to go. What carries none is not. */
export function isWithin(
  scope: RemovalScope,
  ids: Readonly<Partial<Record<'installationId' | 'resourceId' | 'deploymentId', string>>> = {},
): boolean {
  if ('deploymentId' in scope) return ids.deploymentId === scope.deploymentId
  const { installationId, resourceId = ids.resourceId } = scope
  return ids.installationId === installationId && ids.resourceId === resourceId
}
