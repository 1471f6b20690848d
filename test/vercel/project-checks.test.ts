import { expect, test } from 'vitest'
import { createProjectCheck, listProjectChecks } from '../../src/vercel/project-checks.ts'
import { json, smallServer } from './small-server.ts'

const call = { installationId: 'icfg_A', projectId: 'prj/1' }

test('the checks of a project are listed with whom they are of, wherever Vercel tells it', async () => {
  const { connection, received } = await smallServer(
    json(200, {
      checks: [
        { name: 'a', sourceIntegrationConfigurationId: 'icfg_A' },
        {
          name: 'b',
          source: { integrationConfigurationId: 'icfg_B', externalResourceId: 'db' },
          deletedAt: null,
        },
        { name: 'c', source: { kind: 'webhook', webhookId: 'x' } },
        { name: 'deleted', sourceIntegrationConfigurationId: 'icfg_A', deletedAt: 5 },
      ],
    }),
  )
  expect(await listProjectChecks(connection, call)).toEqual([
    { name: 'a', installationId: 'icfg_A' },
    { name: 'b', installationId: 'icfg_B', resourceId: 'db' },
    { name: 'c' },
  ])
  expect(received).toMatchObject([{ method: 'GET', target: '/v2/projects/prj%2F1/checks' }])
})

test('a list that cannot be read is no empty one: nothing would be registered twice for it', async () => {
  const { connection } = await smallServer(json(200, { items: [] }))
  await expect(listProjectChecks(connection, call)).rejects.toMatchObject({
    code: 'unreadable_answer',
  })
})

test('a check is created as it is declared, for the resource', async () => {
  const { connection, received } = await smallServer()
  await createProjectCheck(
    connection,
    { ...call, resourceId: 'db/1' },
    { name: 'Smoke', requires: 'build-ready', timeoutSeconds: 600, targets: ['preview'] },
  )
  expect(received).toMatchObject([{ method: 'POST', target: '/v2/projects/prj%2F1/checks' }])
  expect(JSON.parse(received[0]?.body ?? '')).toEqual({
    name: 'Smoke',
    requires: 'build-ready',
    timeout: 600,
    targets: ['preview'],
    source: { kind: 'integration', externalResourceId: 'db/1' },
  })
})
