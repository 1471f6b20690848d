import { expect, test } from 'vitest'
import { ownerOf } from '../../src/domain/vercel-event.ts'
import { parseEvent } from '../../src/webhook/parse-event.ts'

function parse(payload: unknown) {
  const type = 'integration-configuration.transferred'
  return parseEvent(Buffer.from(JSON.stringify({ id: 'uev_1', type, createdAt: 5, payload })))
}

const configuration = { id: 'icfg_A' }

test('whose an installation is now is read, and is its own event', () => {
  const event = parse({
    configuration,
    installationId: 'icfg_A',
    previousTeamId: 'team_1',
    newTeamId: 'team_2',
  })
  expect(event).toEqual({
    kind: 'installation-transferred',
    installationId: 'icfg_A',
    teamId: 'team_2',
  })
  expect(event.kind === 'installation-transferred' && ownerOf(event)).toBe('icfg_A')
})

test.each([undefined, null, '', 5])('that it is no team’s any more (%j) is taken', (newTeamId) => {
  expect(parse({ configuration, newTeamId })).toEqual({
    kind: 'installation-transferred',
    installationId: 'icfg_A',
  })
})

test('which installation must be told', () => {
  expect(parse({ newTeamId: 'team_2' })).toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('payload.configuration'),
  })
})
