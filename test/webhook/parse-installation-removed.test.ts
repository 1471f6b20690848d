import { expect, test } from 'vitest'
import { parseEvent } from '../../src/webhook/parse-event.ts'

function parse(payload: unknown) {
  const type = 'integration-configuration.removed'
  return parseEvent(Buffer.from(JSON.stringify({ id: 'uev_1', type, createdAt: 5, payload })))
}

test('an installation that is gone is read, whatever else Vercel tells of it', () => {
  const configuration = { id: 'icfg_A', projectSelection: 'selected', projects: ['prj_1'] }
  const payload = { configuration, team: { id: 'team_1' }, user: { id: 'user_1' } }
  expect(parse(payload)).toEqual({ kind: 'installation-removed', installationId: 'icfg_A' })
})

test.each([{}, { configuration: {} }, { configuration: { id: '' } }, { configuration: 'icfg_A' }])(
  'which one must be told: %j is refused',
  (payload) => {
    expect(parse(payload)).toMatchObject({
      kind: 'invalid',
      code: 'invalid_event',
      message: expect.stringContaining('payload.configuration'),
    })
  },
)
