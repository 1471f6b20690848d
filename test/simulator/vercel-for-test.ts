import type { ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'
import {
  type DeploymentSnapshot,
  type SimulatorOptions,
  startSimulator,
  type TimelineEvent,
  type WebhookRecord,
} from '../../src/simulator/index.ts'
import { receiveWebhooks } from './receive-webhooks.ts'

export const CLIENT_SECRET = 'client-secret-of-the-tests'
export const ACCESS_TOKEN = 'token-of-the-tests'

export const PRODUCT = {
  id: 'iap_database',
  name: 'Database',
  actions: [
    { slug: 'branch', name: 'Branch database', suggestions: ['preview'] },
    { slug: 'seed', name: 'Seed database' },
  ],
}

/** A local Vercel with a provider's webhook address, a project `shop`, and quick retries. Ends with the test. */
export async function vercelForTest(
  options: Partial<SimulatorOptions> = {},
  answer?: (response: ServerResponse, count: number) => void,
) {
  const receiver = await receiveWebhooks(answer)
  const vercel = await startSimulator({
    clientSecret: CLIENT_SECRET,
    accessToken: ACCESS_TOKEN,
    webhookUrl: receiver.url,
    product: PRODUCT,
    buildMs: 5,
    retry: { baseMs: 5 },
    ...options,
  })
  onTestFinished(() => vercel.close())
  const project = vercel.createProject({
    name: 'shop',
    resources: [{ resourceId: 'db-42' }],
    env: { preview: { DATABASE_URL: 'shared', REGION: 'iad1' } },
  })

  async function request(path: string, init: RequestInit = {}, token = ACCESS_TOKEN) {
    const response = await fetch(vercel.url + path, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    })
    const text = await response.text()
    const body = text === '' ? undefined : JSON.parse(text)
    return { status: response.status, headers: response.headers, text, body }
  }

  function updatePath(deployment: DeploymentSnapshot, index = 0): string {
    const action = deployment.actions[index]
    if (!action) throw new Error(`${deployment.id} has no action ${index}`)
    const resource = encodeURIComponent(action.resourceId)
    return `/v1/deployments/${deployment.id}/integrations/${deployment.installationId}/resources/${resource}/actions/${action.slug}`
  }

  return {
    vercel,
    project,
    received: receiver.received,
    request,
    updatePath,
    update: (deployment: DeploymentSnapshot, body: unknown, index = 0) =>
      patch(updatePath(deployment, index), body),
    patch,
    /** Resolves once as many webhooks of this kind were answered or given up, and answers with their records. */
    webhooks: async (kind: 'start' | 'cancel' | 'cleanup', count: number) => {
      const seen = () => vercel.records.filter((event) => isWebhook(event, kind))
      await vercel.untilEvent(() => seen().length >= count, { description: `${count} ${kind}` })
      return seen()
    },
  }

  function patch(path: string, body: unknown, token = ACCESS_TOKEN) {
    const headers = { 'content-type': 'application/json' }
    return request(path, { method: 'PATCH', headers, body: JSON.stringify(body) }, token)
  }
}

/** The body of a success that sets these variables. */
export function succeeded(variables: Record<string, string> = {}) {
  const secrets = Object.entries(variables).map(([name, value]) => ({ name, value }))
  return { status: 'succeeded', outcomes: [{ kind: 'resource-secrets', secrets }] }
}

function isWebhook(event: TimelineEvent, kind: string): event is WebhookRecord {
  return event.kind === 'webhook' && event.type === `deployment.integration.action.${kind}`
}
