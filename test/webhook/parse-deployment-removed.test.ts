import { expect, test } from 'vitest'
import { ownerOf, type VercelEvent } from '../../src/domain/vercel-event.ts'
import { parseEvent } from '../../src/webhook/parse-event.ts'

function parse(payload: unknown) {
  const type = 'deployment.cleanup'
  return parseEvent(Buffer.from(JSON.stringify({ id: 'uev_1', type, createdAt: 5, payload })))
}

const deployment = { id: 'dpl_1', meta: {}, url: 'shop.vercel.app', name: 'shop', alias: [] }

test.each([
  ['its team', { team: { id: 'team_1' }, user: { id: 'user_1' } }, 'team_1'],
  ['its user, without a team', { team: null, user: { id: 'user_1' } }, 'user_1'],
])('a deployment that is gone is read, as one of %s', (_, account, accountId) => {
  const event = parse({ deployment, project: { id: 'prj_1' }, ...account })
  expect(event).toEqual({ kind: 'deployment-removed', deploymentId: 'dpl_1', accountId })
  expect(ownerOf(event as VercelEvent)).toBe(accountId)
})

test.each([{}, { team: 'team_1', user: 5 }, { team: { id: null }, user: { id: null } }])(
  'one that Vercel tells no account of stands for itself: %j',
  (account) => {
    const event = parse({ deployment, ...account })
    expect(event).toEqual({ kind: 'deployment-removed', deploymentId: 'dpl_1' })
    expect(ownerOf(event as VercelEvent)).toBe('dpl_1')
  },
)

test.each([{}, { deployment: {} }, { deployment: { id: '' } }, { deployment: 'dpl_1' }])(
  'which one must be told: %j is refused',
  (payload) => {
    expect(parse(payload)).toMatchObject({
      kind: 'invalid',
      code: 'invalid_event',
      message: expect.stringContaining('payload.deployment'),
    })
  },
)
