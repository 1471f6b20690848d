import { describe, expect, test } from 'vitest'
import {
  type Installation,
  type PartnerRecord,
  PartnerRefusal,
  type Simulator,
} from '../../src/simulator/index.ts'
import { PLAN, startTinyProvider } from './tiny-provider.ts'
import { succeeded, vercelForTest } from './vercel-for-test.ts'

/** A team that installed the integration of a tiny provider. */
async function customer(options: Parameters<typeof vercelForTest>[0] = {}) {
  const environment = await vercelForTest({ products: ['postgres'], ...options })
  const provider = await startTinyProvider(environment.vercel)
  const installation = await environment.vercel.install()
  const { vercel } = environment
  return {
    ...environment,
    provider,
    installation,
    provision: (name = 'orders') =>
      vercel.provision(installation, { name, metadata: { region: 'eu' }, billingPlanId: 'free' }),
    projectOf: (...resourceIds: string[]) =>
      vercel.createProject({
        name: 'store',
        installation,
        resources: resourceIds.map((resourceId) => ({ resourceId })),
        env: { preview: { DATABASE_URL: 'of the project', REGION: 'iad1' } },
      }),
  }
}

async function webhook(vercel: Simulator, type: string) {
  await vercel.untilEvent((event) => event.kind === 'webhook' && event.type === type, {
    description: type,
  })
}

describe('a resource', () => {
  test('goes through its life: plans, provisioned, changed, read, rotated, deleted', async () => {
    const { vercel, provider, installation, provision } = await customer()
    expect(await vercel.plans(installation, 'postgres', { region: 'eu' })).toEqual([PLAN])
    expect(await vercel.installationPlans(installation)).toEqual([PLAN])
    const resource = await provision()
    expect(resource).toMatchObject({
      installationId: installation.id,
      id: 'db/1',
      productId: 'postgres',
      status: 'ready',
      metadata: { region: 'eu' },
      billingPlan: PLAN,
      env: { DATABASE_URL: 'postgres://db/1:1@example' },
      rotating: false,
    })
    expect(vercel.resources()).toEqual([resource])
    expect(await vercel.resourcePlans(resource)).toEqual([PLAN])
    expect(await vercel.updateResource(resource, { name: 'sales' })).toMatchObject({
      name: 'sales',
      env: resource.env,
    })
    provider.resources.get('db/1')!.status = 'suspended'
    expect(await vercel.readResource(resource)).toMatchObject({ status: 'suspended' })
    const request = { reason: 'leaked', delayOldSecretsExpirationHours: 0.5 }
    expect((await vercel.rotateSecrets(resource, request)).env).toEqual({
      DATABASE_URL: 'postgres://db/1:2@example',
    })
    await vercel.deleteResource(resource)
    expect([vercel.resources(), provider.resources.size]).toEqual([[], 0])
    expect(() => vercel.resource(resource)).toThrow('has no resource db/1')

    const calls = provider.seen.filter(({ method }) => method !== 'GET').slice(1)
    expect(calls.map(({ method, path, body }) => [method, path, body])).toEqual([
      [
        'POST',
        `/v1/installations/${installation.id}/resources`,
        {
          productId: 'postgres',
          name: 'orders',
          metadata: { region: 'eu' },
          billingPlanId: 'free',
        },
      ],
      ['PATCH', `/v1/installations/${installation.id}/resources/db%2F1`, { name: 'sales' }],
      ['POST', `/v1/installations/${installation.id}/resources/db%2F1/secrets/rotate`, request],
      [
        'DELETE',
        `/v1/installations/${installation.id}/resources/db%2F1`,
        { cascadeResourceDeletion: true },
      ],
    ])
    expect(new Set(calls.map(({ key }) => key)).size).toBe(4)
    for (const { kind, claims } of calls) {
      expect([kind, claims['user_role'], claims['installation_id']]).toEqual([
        'user',
        'ADMIN',
        installation.id,
      ])
    }
  })

  test('may be ready later, and be given its secrets later', async () => {
    const { vercel, provider, installation, provision } = await customer()
    provider.later = true
    const pending = await provision()
    expect(pending).toMatchObject({ status: 'pending', env: {} })
    const path = '/resources/db%2F1'
    const secrets = [{ name: 'DATABASE_URL', value: 'first' }]
    const ready = vercel.untilResource(pending, ({ status }) => status === 'ready')
    expect(
      await provider.tell(installation.id, 'PATCH', path, { status: 'ready', secrets }),
    ).toEqual({ status: 200, body: { name: 'orders' } })
    expect((await ready).env).toEqual({ DATABASE_URL: 'first' })

    expect(await vercel.rotateSecrets(pending)).toMatchObject({
      rotating: true,
      env: { DATABASE_URL: 'first' },
    })
    const rotated = vercel.untilResource(pending, ({ rotating }) => !rotating)
    const next = { secrets: [{ name: 'POOL_URL', value: 'second' }], partial: true }
    expect(await provider.tell(installation.id, 'PUT', `${path}/secrets`, next)).toEqual({
      status: 201,
      body: undefined,
    })
    expect((await rotated).env).toEqual({ DATABASE_URL: 'first', POOL_URL: 'second' })
    await provider.tell(installation.id, 'PUT', `${path}/secrets`, { secrets })
    expect(vercel.resource(pending).env).toEqual({ DATABASE_URL: 'first' })
  })

  test('gives its secrets to the deployments of its projects, below the outcomes of actions', async () => {
    const { vercel, provider, installation, provision, projectOf, request } = await customer()
    const project = projectOf((await provision()).id)
    const first = vercel.deploy(project)
    expect(first.env).toEqual({ DATABASE_URL: 'postgres://db/1:1@example', REGION: 'iad1' })
    await vercel.rotateSecrets({ installationId: installation.id, id: 'db/1' })
    const path = `/v1/deployments/${first.id}/integrations/${installation.id}/resources/db%2F1/actions/branch`
    await request(
      path,
      {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(succeeded({ BRANCH: 'feature' })),
      },
      installation.accessToken,
    )
    // What was deployed before keeps the secrets it had.
    expect(vercel.deployment(first.id).env).toEqual({
      DATABASE_URL: 'postgres://db/1:1@example',
      REGION: 'iad1',
      BRANCH: 'feature',
    })
    const production = vercel.deploy(project, { environment: 'production' })
    expect(production.env).toEqual({ DATABASE_URL: 'postgres://db/1:2@production' })
    const second = vercel.deploy(project)
    await request(
      path.replace(first.id, second.id),
      {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(succeeded({ DATABASE_URL: 'of the branch' })),
      },
      installation.accessToken,
    )
    expect(vercel.deployment(second.id).env['DATABASE_URL']).toBe('of the branch')
    expect(provider.resources.size).toBe(1)
  })

  test('is kept when the provider refuses to delete it, and the refusal has the text for the customer', async () => {
    const { vercel, provider, provision } = await customer()
    const resource = await provision()
    provider.answer = ({ method }) =>
      method === 'DELETE'
        ? Response.json(
            { error: { code: 'unpaid', message: 'A bill', user: { message: 'Pay first' } } },
            { status: 409 },
          )
        : undefined
    const refused = await vercel.deleteResource(resource).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(PartnerRefusal)
    expect(refused).toMatchObject({ status: 409, userMessage: 'Pay first' })
    expect(vercel.resources()).toEqual([resource])
  })

  test('leaves its projects when it is deleted, by the customer or by the provider', async () => {
    const { vercel, provider, installation, provision, projectOf } = await customer()
    const [one, two] = [await provision(), await provision()]
    const project = projectOf(one.id, two.id)
    await vercel.deleteResource(one)
    expect(project.connections.map(({ resourceId }) => resourceId)).toEqual([two.id])
    const path = `/resources/${encodeURIComponent(two.id)}`
    expect((await provider.tell(installation.id, 'DELETE', path)).status).toBe(204)
    expect((await provider.tell(installation.id, 'DELETE', path)).status).toBe(404)
    expect([project.connections, vercel.resources()]).toEqual([[], []])
    expect(vercel.deploy(project).env).toEqual({ DATABASE_URL: 'of the project', REGION: 'iad1' })
  })
})

describe('an answer that is lost', () => {
  test('is asked for again with the same key, and nothing is done twice', async () => {
    const { vercel, provider, provision } = await customer()
    vercel.dials.losePartnerAnswers = 2
    const resource = await provision()
    vercel.dials.losePartnerAnswers = 1
    await vercel.rotateSecrets(resource)
    expect(vercel.resource(resource).env).toEqual({ DATABASE_URL: 'postgres://db/1:2@example' })
    expect([vercel.resources().length, provider.resources.size]).toEqual([1, 1])
    const keysOf = (end: string) =>
      provider.seen.filter(({ path }) => path.endsWith(end)).map(({ key }) => key)
    expect(keysOf('/resources')).toHaveLength(3)
    expect(new Set(keysOf('/resources')).size).toBe(1)
    expect(keysOf('/rotate')).toHaveLength(2)
    expect(new Set(keysOf('/rotate')).size).toBe(1)
    const records = vercel.records.filter(
      (event): event is PartnerRecord =>
        event.kind === 'partner' && event.path.endsWith('/resources'),
    )
    expect(records.map(({ lost, status }) => [lost, status])).toEqual([
      [true, 200],
      [true, 200],
      [undefined, 200],
    ])
    expect(JSON.stringify(vercel.records.filter(({ kind }) => kind === 'partner'))).not.toContain(
      'postgres://',
    )
  })

  test('may not be answered otherwise the second time', async () => {
    const { vercel, provider, installation, provision } = await customer()
    let count = 0
    provider.answer = ({ path }) => {
      if (!path.endsWith('/resources') && !path.endsWith('/rotate')) return undefined
      count += 1
      const secrets = [{ name: 'DATABASE_URL', value: `url-${count}` }]
      return path.endsWith('/rotate')
        ? Response.json({ sync: true, secrets })
        : Response.json({ ...RESOURCE, id: `db-${count}`, secrets })
    }
    vercel.dials.losePartnerAnswers = 1
    await expect(provision()).rejects.toThrow('id: the same Idempotency-Key was answered otherwise')
    expect(vercel.resources()).toEqual([])
    const resource = await provision()
    vercel.dials.losePartnerAnswers = 1
    const rotation = vercel.rotateSecrets(resource)
    await expect(rotation).rejects.toThrow(
      'secrets: the same Idempotency-Key was answered otherwise',
    )
    expect(vercel.resource(resource)).toMatchObject({ rotating: false, env: resource.env })
    expect(installation.enabled).toBe(true)
  })

  test('can be asked for by hand, and is the same resource', async () => {
    const { vercel, provider, installation, provision } = await customer()
    const request = { name: 'orders', idempotencyKey: 'the-key' }
    const first = await vercel.provision(installation, request)
    expect(await vercel.provision(installation, request)).toEqual(first)
    expect(vercel.resources()).toHaveLength(1)
    provider.answer = ({ path }) =>
      path.endsWith('/resources') ? Response.json({ ...RESOURCE, id: 'other' }) : undefined
    await expect(vercel.provision(installation, request)).rejects.toThrow(
      'the same Idempotency-Key has made the resource db/1 already',
    )
    provider.answer = ({ path }) =>
      path.endsWith('/resources') ? Response.json({ ...RESOURCE, id: first.id }) : undefined
    await expect(provision()).rejects.toThrow('the resource db/1 is there already')
  })
})

const RESOURCE = {
  id: 'db-1',
  productId: 'postgres',
  name: 'orders',
  metadata: {},
  status: 'ready',
  billingPlan: PLAN,
  secrets: [{ name: 'DATABASE_URL', value: 'the-secret' }],
}

describe('an answer that Vercel does not take', () => {
  const without = (key: keyof typeof RESOURCE) => {
    const { [key]: _, ...rest } = RESOURCE
    return rest
  }
  const secret = (changes: object) => ({
    ...RESOURCE,
    secrets: [{ name: 'DATABASE_URL', value: 'the-secret', ...changes }],
  })
  const provisionings: [string, number, unknown][] = [
    ['Vercel does not take the status 201', 201, RESOURCE],
    ['Vercel does not take the status 500', 500, { error: { code: 'x', message: 'x' } }],
    ['the error of 409', 409, { message: 'no' }],
    ['the body of 200', 200, 'the-secret'],
    ['at id', 200, without('id')],
    ['at productId', 200, { ...RESOURCE, productId: 'redis' }],
    ['at name', 200, without('name')],
    ['at metadata', 200, without('metadata')],
    ['at status', 200, { ...RESOURCE, status: 'done' }],
    ['at billingPlan', 200, without('billingPlan')],
    ['at billingPlan.id', 200, { ...RESOURCE, billingPlan: { ...PLAN, id: 'other' } }],
    ['at billingPlan.type', 200, { ...RESOURCE, billingPlan: { ...PLAN, type: 'gift' } }],
    ['"price"', 200, { ...RESOURCE, billingPlan: { ...PLAN, price: 1 } }],
    ['at notification.title', 200, { ...RESOURCE, notification: { level: 'info' } }],
    ['"secret"', 200, { ...RESOURCE, secret: 'the-secret' }],
    ['at secrets', 200, without('secrets')],
    ['at secrets[0].value', 200, secret({ value: '' })],
    ['"kind"', 200, secret({ kind: 'the-secret' })],
    ['"test"', 200, secret({ environmentOverrides: { test: 'the-secret' } })],
    ['secrets[0].name: the variable TZ is reserved', 200, secret({ name: 'TZ' })],
    ['secrets[0].name: should have letters', 200, secret({ name: '1A' })],
    [
      'secrets[1].name: the variable DATABASE_URL is set twice',
      200,
      { ...RESOURCE, secrets: [...RESOURCE.secrets, ...RESOURCE.secrets] },
    ],
  ]
  test('to a provisioning is refused, names the field and repeats no value', async () => {
    const { vercel, provider, provision } = await customer()
    for (const [told, status, body] of provisionings) {
      provider.answer = ({ path }) =>
        path.endsWith('/resources') ? Response.json(body, { status }) : undefined
      const fault = await provision().catch((error: unknown) => error)
      expect(String(fault)).toContain('PartnerFault: POST /v1/installations/')
      expect(String(fault)).toContain(told)
      expect(String(fault)).not.toContain('the-secret')
      expect(vercel.records.at(-1)).toMatchObject({
        kind: 'partner',
        status,
        error: expect.stringContaining(told),
      })
    }
    expect(vercel.resources()).toEqual([])
  })

  interface Scene {
    readonly vercel: Simulator
    readonly installation: Installation
    readonly other: Installation
  }
  const ref = ({ installation }: Scene) => ({ installationId: installation.id, id: 'db/1' })
  const moves: [
    string,
    string,
    { status?: number; body?: unknown },
    (scene: Scene) => Promise<unknown>,
  ][] = [
    ['at plans', '/plans', { body: {} }, (s) => s.vercel.plans(s.installation, 'postgres')],
    [
      'at plans[0].description',
      '/plans',
      { body: { plans: [{ ...PLAN, description: undefined }] } },
      (s) => s.vercel.installationPlans(s.installation),
    ],
    ['"next"', '/plans', { body: { plans: [], next: 1 } }, (s) => s.vercel.resourcePlans(ref(s))],
    ['at id', '/db%2F1', { body: RESOURCE }, (s) => s.vercel.updateResource(ref(s), {})],
    ['status 204', '/db%2F1', { status: 204 }, (s) => s.vercel.updateResource(ref(s), {})],
    ['at id', '/db%2F1', { body: RESOURCE }, (s) => s.vercel.readResource(ref(s))],
    ['status 200', '/db%2F1', { body: {} }, (s) => s.vercel.deleteResource(ref(s))],
    ['at sync', '/rotate', { body: { sync: false } }, (s) => s.vercel.rotateSecrets(ref(s))],
    ['at secrets', '/rotate', { body: { sync: true } }, (s) => s.vercel.rotateSecrets(ref(s))],
    [
      'at sync',
      '/rotate',
      { status: 202, body: { sync: true } },
      (s) => s.vercel.rotateSecrets(ref(s)),
    ],
    ['at providerClaimId', '/resource-transfer-requests', { body: {} }, transferred],
    ['"ok"', '/verify', { body: { ok: true } }, transferred],
    ['at newBillingPlan.id', '/verify', { body: { newBillingPlan: {} } }, transferred],
    ['status 200', '/accept', { body: { success: true } }, transferred],
    ['at valid', '/verify', { body: {} }, transferredAsFlow],
    ['at success', '/accept', { body: { success: false } }, transferredAsFlow],
    ['status 204', '/accept', { status: 204 }, transferredAsFlow],
  ]
  function transferred({ vercel, installation, other }: Scene) {
    vercel.dials.transferForm = 'reference'
    return vercel.transferResources(installation, other, ['db/1'])
  }
  function transferredAsFlow({ vercel, installation, other }: Scene) {
    vercel.dials.transferForm = 'flow'
    return vercel.transferResources(installation, other, ['db/1'])
  }
  test('to any other move is refused, names the field and changes nothing', async () => {
    const { vercel, provider, installation, provision } = await customer()
    const other = await vercel.install()
    const resource = await provision()
    for (const [told, end, { status = 200, body }, move] of moves) {
      provider.answer = ({ path }) => {
        if (!path.endsWith(end)) return undefined
        return status === 204 ? new Response(null, { status }) : Response.json(body, { status })
      }
      const fault = await move({ vercel, installation, other }).catch((error: unknown) => error)
      expect(String(fault), end).toContain('PartnerFault')
      expect(String(fault), end).toContain(told)
      expect(vercel.resources(), end).toEqual([resource])
    }
  })
})

describe('a transfer', () => {
  test.for(['reference', 'flow'] as const)(
    'moves resources, in the form of the %s',
    async (form) => {
      const { vercel, provider, installation, provision, projectOf } = await customer()
      vercel.dials.transferForm = form
      vercel.dials.losePartnerAnswers = 2
      const other = await vercel.install()
      const [one, two] = [await provision(), await provision()]
      const [going, staying] = [projectOf(one.id), projectOf(one.id, two.id)]
      vercel.dials.losePartnerAnswers = 1
      const [moved] = await vercel.transferResources(installation, other, [one.id])
      expect(moved).toMatchObject({ id: one.id, installationId: other.id, env: one.env })
      expect(provider.resources.get(one.id)?.installationId).toBe(other.id)
      expect(await vercel.readResource(moved!)).toMatchObject({ id: one.id })
      expect(going.installation).toBe(other)
      expect(vercel.deploy(going).env['DATABASE_URL']).toBe(one.env['DATABASE_URL'])
      expect(staying.installation).toBe(installation)
      expect(staying.connections.map(({ resourceId }) => resourceId)).toEqual([two.id])
      await webhook(vercel, 'integration-resource.project-disconnected')
      const calls = provider.seen.filter(({ path }) => path.includes('transfer'))
      const claim = `/v1/installations/${other.id}/resource-transfer-requests/claim%201`
      expect(calls.slice(1).map(({ path, kind, body }) => [path, kind, body])).toEqual([
        [
          `/v1/installations/${installation.id}/resource-transfer-requests`,
          'system',
          { resourceIds: [one.id], expiresAt: expect.any(Number) },
        ],
        [`${claim}/verify`, 'system', undefined],
        [
          `${claim}/accept`,
          'system',
          form === 'flow'
            ? { targetInstallationId: other.id, targetTeamId: other.teamId }
            : undefined,
        ],
      ])
    },
  )

  test('moves nothing when the provider does not verify it', async () => {
    const { vercel, provider, installation, provision } = await customer()
    const other = await vercel.install()
    const resource = await provision()
    const move = () => vercel.transferResources(installation, other, [resource.id])
    provider.answer = ({ path }) =>
      path.endsWith('/verify') ? Response.json({ valid: false }) : undefined
    await expect(move()).rejects.toThrow(PartnerRefusal)
    provider.answer = ({ path }) =>
      path.endsWith('/verify')
        ? Response.json({ error: { code: 'gone', message: 'Expired' } }, { status: 404 })
        : undefined
    await expect(move()).rejects.toMatchObject({ name: 'PartnerRefusal', status: 404 })
    expect(vercel.resources()).toEqual([resource])
    await expect(vercel.transferResources(other, installation, [resource.id])).rejects.toThrow(
      'has no resource',
    )
  })
})

describe('an installation', () => {
  test('takes its resources with it', async () => {
    const { vercel, installation, provision } = await customer()
    await provision()
    const other = await vercel.install()
    const kept = await vercel.provision(other, { name: 'kept' })
    await vercel.uninstall(installation)
    expect(vercel.resources()).toEqual([kept])
    expect(vercel.records).toContainEqual(
      expect.objectContaining({ kind: 'resource', change: 'deleted', resourceId: 'db/1' }),
    )
  })

  test('moves to another team, and the provider is told', async () => {
    const { vercel, received, installation, request } = await customer()
    const previousTeamId = installation.teamId
    vercel.transferInstallation(installation, 'team_New')
    await webhook(vercel, 'integration-configuration.transferred')
    expect(received.at(-1)?.event.payload).toMatchObject({
      configuration: { id: installation.id },
      installationId: installation.id,
      previousTeamId,
      newTeamId: 'team_New',
    })
    const path = `/v1/installations/${installation.id}/resources?teamId=`
    const read = async (team: string) =>
      (await request(path + team, {}, installation.accessToken)).status
    expect([await read(previousTeamId), await read('team_New')]).toEqual([403, 200])
  })
})

test('a project is connected and disconnected, and the provider is told', async () => {
  const { vercel, received, provision, projectOf } = await customer()
  const project = projectOf()
  const { id } = await provision()
  vercel.connect(project, { resourceId: id })
  expect(() => vercel.connect(project, { resourceId: id })).toThrow('is connected to db/1 already')
  await webhook(vercel, 'integration-resource.project-connected')
  const deployment = vercel.deploy(project)
  expect(deployment.actions).toMatchObject([{ resourceId: id, slug: 'branch' }])
  vercel.disconnect(project, id)
  expect(() => vercel.disconnect(project, id)).toThrow('has no resource db/1')
  await webhook(vercel, 'integration-resource.project-disconnected')
  expect(vercel.deployment(deployment.id).env['DATABASE_URL']).toContain('db/1')
  expect(vercel.deploy(project).actions).toEqual([])
  const told = received.filter(({ event }) => event.type.startsWith('integration-resource.'))
  for (const { event } of told) {
    expect(event.payload).toMatchObject({ resourceId: id, projectId: project.id })
  }
})

test('a deployment that is completely gone is told of, once', async () => {
  const { vercel, project, received } = await vercelForTest()
  const { id, url } = vercel.deploy(project, { environment: 'staging' })
  vercel.remove(id)
  expect(received.map(({ event }) => event.type)).not.toContain('deployment.cleanup')
  vercel.purge(id)
  await webhook(vercel, 'deployment.cleanup')
  const gone = received.filter(({ event }) => event.type === 'deployment.cleanup')
  expect(gone.map(({ event }) => event.payload)).toMatchObject([
    {
      deployment: { id, url, target: 'staging', customEnvironmentId: null, alias: [] },
      project: { id: project.id },
    },
  ])
})
