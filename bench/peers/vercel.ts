import type { Action } from './webhook.ts'

const url = process.env['VERCEL_API_URL'] ?? ''
const authorization = `Bearer ${process.env['VERCEL_ACCESS_TOKEN'] ?? ''}`

export async function getDeployment({ deploymentId }: Action): Promise<{ readonly id: string }> {
  const response = await fetch(`${url}/v13/deployments/${deploymentId}?withGitRepoInfo=true`, {
    headers: { authorization },
  })
  if (!response.ok) throw new Error(`GET deployment answered ${response.status}`)
  const { id } = (await response.json()) as { id: string }
  return { id }
}

export async function patchRunning(action: Action): Promise<void> {
  await patch(action, { status: 'running' })
}

export async function patchSucceeded(action: Action): Promise<void> {
  const secrets = [{ name: 'FEATURE_FLAGS', value: 'preview' }]
  await patch(action, { status: 'succeeded', outcomes: [{ kind: 'resource-secrets', secrets }] })
}

async function patch(action: Action, body: unknown): Promise<void> {
  const { installationId, resourceId, deploymentId } = action
  const response = await fetch(
    `${url}/v1/deployments/${deploymentId}/integrations/${installationId}/resources/${resourceId}/actions/${action.action}`,
    {
      method: 'PATCH',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    },
  )
  await response.text()
  if (!response.ok) throw new Error(`PATCH answered ${response.status}`)
}
