import { describe, expect, test } from 'vitest'
import { parseEvent } from '../../src/webhook/parse-event.ts'

const full = {
  team: { id: 'team_1' },
  user: { id: 'user-1' },
  deployment: { id: 'dpl_9', meta: {}, url: 'shop.vercel.app', name: 'shop' },
  target: null,
  project: { id: 'prj_1' },
  integrations: [{ installationId: 'icfg_A', resources: [{ externalResourceId: 'team/db 42%' }] }],
}

const parse = (payload: unknown, type = 'deployment.created') =>
  parseEvent(Buffer.from(JSON.stringify({ id: 'uev_1', type, createdAt: 5, payload })))

const concernedBy = (payload: object) => {
  const event = parse({ ...full, ...payload })
  if (event.kind === 'deployment') return event.concerned
  throw new Error(JSON.stringify(event))
}

test.each([
  ['deployment.created', 'created'],
  ['deployment.ready', 'ready'],
  ['deployment.error', 'failed'],
  ['deployment.canceled', 'canceled'],
  ['deployment.cancelled', 'canceled'],
])('%s is read as what has become of the deployment', (type, news) => {
  expect(parse(full, type)).toEqual({
    kind: 'deployment',
    news,
    deploymentId: 'dpl_9',
    concerned: [{ installationId: 'icfg_A', resourceId: 'team/db 42%' }],
    deliveryId: 'uev_1',
    teamId: 'team_1',
  })
})

test('a rerequest is read with the check that it is about', () => {
  const { deployment: _, team: __, ...rest } = full
  const payload = { ...rest, deployment: { id: 'dpl_9' }, check: { id: 'check_1' } }
  expect(parse(payload, 'deployment.check-rerequested')).toEqual({
    kind: 'deployment',
    news: 'check-rerequested',
    checkId: 'check_1',
    deploymentId: 'dpl_9',
    concerned: [{ installationId: 'icfg_A', resourceId: 'team/db 42%' }],
    deliveryId: 'uev_1',
  })
  expect(
    parse({ ...payload, team: { id: 'team_1' } }, 'deployment.check-rerequested'),
  ).toMatchObject({ teamId: 'team_1' })
})

describe('whom an event concerns is', () => {
  test('each resource of each installation, once', () => {
    const resources = ['db', 'cache', 'db', null].map((externalResourceId) => ({
      externalResourceId,
    }))
    expect(
      concernedBy({
        integrations: [
          { installationId: 'icfg_A', resources },
          { installationId: 'icfg_B', resources: [] },
          { installationId: 'icfg_C' },
          { installationId: 'icfg_A', resources: [{ externalResourceId: 'db' }] },
        ],
      }),
    ).toEqual([
      { installationId: 'icfg_A', resourceId: 'db' },
      { installationId: 'icfg_A', resourceId: 'cache' },
      { installationId: 'icfg_B' },
      { installationId: 'icfg_C' },
    ])
  })

  test('told in the deprecated form, where there is no other', () => {
    const installationIds = ['icfg_A', 'icfg_A', 'icfg_B']
    for (const integrations of [undefined, null, [], 'odd', [{ id: 1 }]])
      expect(concernedBy({ integrations, installationIds })).toEqual([
        { installationId: 'icfg_A' },
        { installationId: 'icfg_B' },
      ])
    expect(concernedBy({ installationIds })).toMatchObject([{ installationId: 'icfg_A' }])
  })

  test.each(['deployment.created', 'deployment.check-rerequested'])(
    'nobody that is known, so %s is ignored with the reason',
    (type) => {
      for (const payload of [{ any: 1 }, { ...full, integrations: [], installationIds: 7 }])
        expect(parse(payload, type)).toEqual({
          kind: 'ignored',
          type,
          because: 'Its payload names no installation, so nobody knows whose deployment it is.',
        })
    },
  )
})

test.each([
  ['deployment.ready', { deployment: {} }, 'payload.deployment.id'],
  ['deployment.ready', { deployment: { id: '' } }, 'payload.deployment.id'],
  ['deployment.check-rerequested', { check: undefined }, 'payload.check'],
  ['deployment.check-rerequested', { check: { id: 7 } }, 'payload.check.id'],
])('of %s a field that is wrong is named: %j', (type, wrong, field) => {
  expect(parse({ ...full, check: { id: 'check_1' }, ...wrong }, type)).toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining(field),
  })
})
