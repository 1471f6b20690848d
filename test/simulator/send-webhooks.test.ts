import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { CLIENT_SECRET, succeeded, vercelForTest } from './vercel-for-test.ts'

const START = 'deployment.integration.action.start'
const CANCEL = 'deployment.integration.action.cancel'

describe('a webhook', () => {
  test('has the documented envelope and payload, and a signature over its raw bytes', async () => {
    const { vercel, received, webhooks } = await vercelForTest({ now: () => 1_767_225_600_123 })
    const project = vercel.createProject({
      name: 'unicode',
      resources: [{ resourceId: 'naïve/db 100%' }],
    })
    const deployment = vercel.deploy(project)
    await webhooks('start', 1)
    const [webhook] = received
    expect(webhook?.event).toEqual({
      id: expect.stringMatching(/^uev_[A-Za-z0-9]{24}$/),
      type: START,
      createdAt: 1_767_225_600_123,
      region: 'iad1',
      payload: {
        configuration: { id: vercel.installation.id },
        installationId: expect.stringMatching(/^icfg_[A-Za-z0-9]{24}$/),
        resourceId: 'naïve/db 100%',
        action: 'branch',
        deployment: { id: deployment.id },
        team: { id: vercel.installation.teamId },
        user: { id: null },
      },
    })
    const signature = createHmac('sha1', CLIENT_SECRET)
    if (webhook) signature.update(webhook.rawBody)
    expect(webhook?.headers['x-vercel-signature']).toBe(signature.digest('hex'))
    expect(webhook?.headers['content-type']).toBe('application/json')
  })

  test('is signed with the new secret once it was rotated', async () => {
    const { vercel, project, received, webhooks } = await vercelForTest()
    vercel.clientSecret = 'rotated'
    vercel.deploy(project)
    await webhooks('start', 1)
    const signature = createHmac('sha1', 'rotated').update(received[0]?.rawBody ?? '')
    expect(received[0]?.headers['x-vercel-signature']).toBe(signature.digest('hex'))
  })

  test('comes again, with doubling waits and the same id, until it is answered 2xx', async () => {
    const { vercel, project, received, webhooks } = await vercelForTest({}, (response, count) =>
      response.writeHead([503, 302, 400][count - 1] ?? 200, { location: '/' }).end(),
    )
    vercel.deploy(project)
    const records = await webhooks('start', 4)
    expect(records).toMatchObject([
      { attempt: 1, result: { status: 503 }, retryInMs: 5 },
      { attempt: 2, result: { status: 302 }, retryInMs: 10 },
      { attempt: 3, result: { status: 400 }, retryInMs: 20 },
      { attempt: 4, result: { status: 200 } },
    ])
    expect(records[3]).not.toHaveProperty('retryInMs')
    expect(new Set(received.map(({ event }) => event.id)).size).toBe(1)
    expect(new Set(received.map(({ event }) => event.createdAt)).size).toBe(1)
  })

  test('comes again after no answer, under a new id when the dial says so', async () => {
    const { vercel, project, received, webhooks } = await vercelForTest(
      { dials: { retryId: 'new' }, retry: { baseMs: 5, answerTimeoutMs: 300 } },
      (response, count) => {
        if (count === 1) response.socket?.destroy()
        if (count > 2) response.end()
      },
    )
    vercel.deploy(project)
    expect(await webhooks('start', 3)).toMatchObject([
      { result: { kind: 'unanswered' } },
      { result: { kind: 'unanswered', error: expect.stringContaining('timeout') } },
      { result: { kind: 'answered' } },
    ])
    expect(new Set(received.map(({ event }) => event.id)).size).toBe(3)
  })

  test('is given up after 24 hours', async () => {
    let now = 0
    const { vercel, project, received } = await vercelForTest({ now: () => now }, (response) => {
      now += 13 * 60 * 60_000
      response.writeHead(500).end()
    })
    vercel.deploy(project)
    await vercel.untilEvent((event) => event.kind === 'webhook' && event.retryInMs === undefined)
    expect(received).toHaveLength(2)
  })

  test('waits for an address to be set', async () => {
    const { vercel, project, webhooks } = await vercelForTest()
    const url = vercel.webhookUrl
    vercel.webhookUrl = undefined
    vercel.deploy(project)
    expect(await webhooks('start', 1)).toMatchObject([{ result: { kind: 'unanswered' } }])
    vercel.webhookUrl = url
    await vercel.untilEvent((event) => event.kind === 'webhook' && event.result.kind === 'answered')
  })

  test('is no longer retried after close', async () => {
    const { vercel, project, received, webhooks } = await vercelForTest(
      { retry: { baseMs: 60_000 } },
      (response) => response.writeHead(500).end(),
    )
    vercel.deploy(project)
    await webhooks('start', 1)
    await vercel.close()
    expect(received).toHaveLength(1)
  })

  test('is lost while the installation is disabled', async () => {
    const { vercel, project, webhooks, request } = await vercelForTest()
    const deployment = vercel.deploy(project)
    await webhooks('start', 1)
    vercel.installation.enabled = false
    vercel.cancel(deployment.id)
    expect(await webhooks('cancel', 1)).toMatchObject([{ result: { kind: 'paused' }, attempt: 0 }])
    expect(await request(`/v13/deployments/${deployment.id}`)).toMatchObject({
      status: 403,
      body: { error: { code: 'integration_configuration_disabled' } },
    })
  })
})

describe('the webhook dials', () => {
  test.each([
    ['same-id', 1],
    ['new-id', 2],
  ] as const)('send everything twice: %s', async (duplicateWebhooks, ids) => {
    const { vercel, project, received, webhooks } = await vercelForTest({
      dials: { duplicateWebhooks },
    })
    vercel.deploy(project)
    await webhooks('start', 2)
    expect(received).toHaveLength(2)
    expect(new Set(received.map(({ event }) => event.id)).size).toBe(ids)
  })

  test('hold a type back until it is released, so that a cancel overtakes its start', async () => {
    const { vercel, project, received, webhooks } = await vercelForTest({
      dials: { holdWebhooks: [START] },
    })
    vercel.cancel(vercel.deploy(project).id)
    await webhooks('cancel', 1)
    expect(received.map(({ event }) => event.type)).toEqual([CANCEL])
    await vercel.releaseWebhooks({ type: START })
    expect(received.map(({ event }) => event.type)).toEqual([CANCEL, START])
    await vercel.releaseWebhooks()
    expect(received).toHaveLength(2)
  })

  test('reverse what was held', async () => {
    const { vercel, project, received } = await vercelForTest({
      dials: { holdWebhooks: [START, CANCEL] },
    })
    vercel.cancel(vercel.deploy(project).id)
    await vercel.releaseWebhooks({ order: 'reversed' })
    expect(received.map(({ event }) => event.type)).toEqual([CANCEL, START])
  })

  test('drop a type', async () => {
    const { vercel, project, received, webhooks } = await vercelForTest({
      dials: { dropWebhooks: [CANCEL] },
    })
    vercel.cancel(vercel.deploy(project).id)
    await webhooks('start', 1)
    expect(await webhooks('cancel', 1)).toMatchObject([{ result: { kind: 'dropped' } }])
    expect(received.map(({ event }) => event.type)).toEqual([START])
  })

  test('shape the envelope and the payload', async () => {
    const { vercel, received, webhooks } = await vercelForTest({
      dials: {
        configurationInPayload: false,
        teamInPayload: false,
        webhookHeaders: { 'x-vercel-id': 'iad1::x' },
        optionsInPayload: true,
        region: null,
        extraEnvelopeKeys: { webhookId: 'w' },
        extraPayloadKeys: { plan: 'pro' },
      },
    })
    const project = vercel.createProject({
      name: 'options',
      resources: [
        { resourceId: 'db', actions: { seed: { environments: ['qa'], options: { rows: 3 } } } },
      ],
    })
    vercel.deploy(project, { environment: 'qa' })
    await webhooks('start', 1)
    expect(received[0]?.event).toMatchObject({
      region: null,
      webhookId: 'w',
      payload: { plan: 'pro', options: { rows: 3 }, action: 'seed' },
    })
    expect(received[0]?.event.payload).not.toHaveProperty('configuration')
    expect(received[0]?.event.payload).not.toHaveProperty('team')
    expect(received[0]?.headers['x-vercel-id']).toBe('iad1::x')
    vercel.dials.region = undefined
    vercel.deploy(project, { environment: 'qa' })
    await webhooks('start', 2)
    expect(received[1]?.event).not.toHaveProperty('region')
  })
})

describe('a webhook sent by hand', () => {
  test('is exactly what the test says, once, and answers what the provider answered', async () => {
    const { vercel, project, received, update } = await vercelForTest({}, (response) =>
      response.writeHead(409).end('no'),
    )
    vercel.dials.dropWebhooks = [START, 'deployment.integration.action.cleanup']
    const deployment = vercel.deploy(project)
    await update(deployment, succeeded())
    vercel.remove(deployment.id)
    const answer = await vercel.sendWebhook({
      ...vercel.actionEvent('start', deployment.id, { slug: 'branch' }),
      id: 'mine',
      createdAt: 7,
      region: null,
      extraKeys: { teamId: 't' },
      signature: 'wrong',
    })
    expect(answer).toEqual({ status: 409, body: 'no' })
    expect(received).toHaveLength(1)
    expect(received[0]?.headers['x-vercel-signature']).toBe('wrong')
    expect(received[0]?.event).toMatchObject({
      id: 'mine',
      type: START,
      createdAt: 7,
      region: null,
      teamId: 't',
      payload: { deployment: { id: deployment.id } },
    })
  })

  test('may be any bytes, unsigned or signed with another secret', async () => {
    const { vercel, received } = await vercelForTest()
    const event = { type: 'project.created', payload: {} }
    await vercel.sendWebhook({ ...event, rawBody: Buffer.from('{ "a": 1 }'), signature: null })
    await vercel.sendWebhook({ ...event, rawBody: '{}', signedWith: 'other' })
    expect(received[0]?.rawBody.toString()).toBe('{ "a": 1 }')
    expect(received[0]?.headers).not.toHaveProperty('x-vercel-signature')
    const signature = createHmac('sha1', 'other').update('{}').digest('hex')
    expect(received[1]?.headers['x-vercel-signature']).toBe(signature)
  })
})
