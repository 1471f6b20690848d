import { describe, expect, test } from 'vitest'
import { parseEvent } from '../../src/webhook/parse-event.ts'

// Of these events little is documented: what may be missing is found elsewhere, or named.

const source = {
  kind: 'integration',
  integrationConfigurationId: 'icfg_A',
  externalResourceId: 'team/db 42%',
}
const full = {
  checkRun: {
    id: 'ckr_1',
    checkId: 'chk_1',
    name: 'Smoke',
    status: 'queued',
    timeout: 300,
    deploymentId: 'dpl_9',
    source,
  },
  deployment: { id: 'dpl_9', url: 'shop.vercel.app', meta: {} },
  project: { id: 'prj_1' },
  team: { id: 'team_1' },
  user: { id: null },
  integrations: [
    { installationId: 'icfg_A', resources: [{ externalResourceId: 'team/db 42%' }] },
    { installationId: 'icfg_B' },
  ],
}

function parse(payload: unknown, kind: 'start' | 'cancel' = 'start') {
  const event = { id: 'uev_1', type: `deployment.checkrun.${kind}`, createdAt: 5, payload }
  return parseEvent(Buffer.from(JSON.stringify(event)))
}

const runOf = (payload: unknown) => {
  const event = parse(payload)
  if (event.kind === 'check-run') return event.run
  throw new Error(JSON.stringify(event))
}

test.each([
  ['start', 'run'],
  ['cancel', 'canceled'],
] as const)('a %s is read as what it asks for', (kind, wish) => {
  expect(parse(full, kind)).toEqual({
    kind: 'check-run',
    run: {
      key: { installationId: 'icfg_A', deploymentId: 'dpl_9', checkRunId: 'ckr_1' },
      wish,
      deliveryId: 'uev_1',
      occurredAt: 5,
      teamId: 'team_1',
      resourceId: 'team/db 42%',
      name: 'Smoke',
      timeoutSeconds: 300,
    },
  })
})

test('an event that tells little more than the run’s id is read all the same', () => {
  expect(
    runOf({
      checkRun: { id: 'ckr_1', checkId: 'chk_1' },
      deployment: { id: 'dpl_9' },
      integrations: [{ installationId: 'icfg_A' }],
    }),
  ).toEqual({
    key: { installationId: 'icfg_A', deploymentId: 'dpl_9', checkRunId: 'ckr_1' },
    wish: 'run',
    deliveryId: 'uev_1',
    occurredAt: 5,
  })
})

test('what a later Vercel makes of a field that is not needed does no harm', () => {
  const odd = {
    ...full,
    team: 7,
    checkRun: { ...full.checkRun, timeout: 'long', name: 5, source: { ...source, kind: null } },
  }
  expect(runOf(odd)).not.toHaveProperty('timeoutSeconds')
  expect(runOf({ ...full, integrations: 'none' }).resourceId).toBe('team/db 42%')
})

describe('the installation is', () => {
  const { source: _, ...unsourced } = full.checkRun
  const { integrations: __, ...plain } = { ...full, checkRun: unsourced }
  test.each([
    ['that of the source', { ...plain, checkRun: full.checkRun }],
    ['that of the event', { ...plain, installationId: 'icfg_A' }],
    ['that of the configuration', { ...plain, configuration: { id: 'icfg_A' } }],
    [
      'the only one of ours that the event concerns',
      { ...plain, integrations: [{ installationId: 'icfg_A' }] },
    ],
  ])('%s', (_, payload) => {
    expect(runOf(payload).key.installationId).toBe('icfg_A')
  })
})

test('the resource is the only one of the installation, where the source does not tell', () => {
  const unsourced = {
    ...full,
    checkRun: { ...full.checkRun, source: { ...source, externalResourceId: null } },
  }
  const withResources = (...ids: (string | null)[]) =>
    runOf({
      ...unsourced,
      integrations: [
        {
          installationId: 'icfg_A',
          resources: ids.map((externalResourceId) => ({ externalResourceId })),
        },
      ],
    }).resourceId
  expect(withResources('db')).toBe('db')
  expect(withResources('db', 'other')).toBeUndefined()
  expect(withResources(null)).toBeUndefined()
  expect(withResources()).toBeUndefined()
  expect(runOf({ ...unsourced, integrations: [] }).resourceId).toBeUndefined()
})

describe('an event is ignored', () => {
  test.each(['webhook', 'git-provider', 'vercel', 'something-new'])(
    'of a check that %s registered',
    (kind) => {
      const theirs = { ...full, checkRun: { ...full.checkRun, source: { ...source, kind } } }
      expect(parse(theirs)).toEqual({ kind: 'ignored', type: 'deployment.checkrun.start' })
    },
  )

  test('of a check of an installation that is none of those the event concerns', () => {
    const theirs = { ...full, integrations: [{ installationId: 'icfg_B' }] }
    expect(parse(theirs)).toMatchObject({ kind: 'ignored' })
  })
})

describe('an event is refused with the field named', () => {
  const { source: _, deploymentId: __, ...bare } = full.checkRun
  test.each([
    ['payload.checkRun', { ...full, checkRun: 5 }],
    ['payload.checkRun.id', { ...full, checkRun: { ...full.checkRun, id: '' } }],
    [
      'payload.checkRun.source.integrationConfigurationId',
      { ...full, checkRun: { ...bare, deploymentId: 'dpl_9' } },
    ],
    [
      'payload.checkRun.source.integrationConfigurationId',
      { ...full, checkRun: { ...bare, deploymentId: 'dpl_9' }, integrations: undefined },
    ],
    [
      'payload.checkRun.deploymentId',
      { ...full, checkRun: { ...bare, source }, deployment: undefined },
    ],
  ])('%s', (field, payload) => {
    const event = parse(payload)
    expect(event).toMatchObject({ kind: 'invalid', code: 'invalid_event' })
    expect(event.kind === 'invalid' && event.message).toContain(`${field}: `)
  })
})

describe('a connection', () => {
  const payload = {
    configuration: { id: 'icfg_A' },
    installationId: 'icfg_A',
    resourceId: 'team/db 42%',
    project: { id: 'prj_1', name: 'shop' },
    projectId: 'prj_1',
    targets: ['preview'],
    team: { id: 'team_1' },
  }
  const parseConnection = (kind: string, body: unknown) =>
    parseEvent(
      Buffer.from(
        JSON.stringify({
          id: 'uev_1',
          type: `integration-resource.project-${kind}`,
          createdAt: 5,
          payload: body,
        }),
      ),
    )

  test.each([
    ['connected', true],
    ['disconnected', false],
  ])('that is %s is read as such', (kind, connected) => {
    expect(parseConnection(kind, payload)).toEqual({
      kind: 'resource-connected',
      installationId: 'icfg_A',
      resourceId: 'team/db 42%',
      projectId: 'prj_1',
      connected,
    })
  })

  test('without a project is refused', () => {
    expect(parseConnection('connected', { ...payload, projectId: undefined })).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('payload.projectId: '),
    })
  })
})
