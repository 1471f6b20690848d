import { describe, expect, test } from 'vitest'
import { ActionFailure } from '../../src/domain/failure.ts'
import { checkVercelAccess } from '../../src/vercel/check-access.ts'
import { ACCESS_TOKEN, vercelForTest } from '../simulator/vercel-for-test.ts'
import { connectionTo, deadUrl, json, smallServer, TOKEN } from './small-server.ts'

test('a Vercel that takes the token and has our time is in order', async () => {
  const { vercel } = await vercelForTest()
  const connection = { ...connectionTo(vercel.url), accessToken: async () => ACCESS_TOKEN }
  expect(await checkVercelAccess(connection)).toMatchObject([
    { subject: 'Vercel token', level: 'ok' },
    { subject: 'Clock', level: 'ok' },
  ])
})

test('the token of one installation is tried, and what is wrong is told of that installation', async () => {
  const { vercel } = await vercelForTest()
  const asked: string[] = []
  const accessToken = async (installationId: string) => {
    asked.push(installationId)
    return TOKEN
  }
  const [finding] = await checkVercelAccess({ ...connectionTo(vercel.url), accessToken }, 'icfg_7')
  expect(new Set(asked)).toEqual(new Set(['icfg_7']))
  expect(finding).toMatchObject({ level: 'error', fix: expect.stringContaining('icfg_7') })
})

test('a token that cannot be had is told with its own words', async () => {
  const { vercel } = await vercelForTest()
  const failure = new ActionFailure('unknown', 'Nobody has one.', { retryable: false })
  const accessToken = () => Promise.reject(failure)
  const [finding] = await checkVercelAccess({ ...connectionTo(vercel.url), accessToken })
  expect(finding).toMatchObject({
    level: 'error',
    message: 'Nobody has one.',
    fix: expect.stringContaining('accessToken'),
  })
})

describe('what is wrong is told with the variable to set', () => {
  test.each([401, 403] as const)('a token that is refused with %i', async (invalidToken) => {
    const { vercel } = await vercelForTest({ dials: { invalidToken } })
    const findings = await checkVercelAccess(connectionTo(vercel.url))
    expect(findings[0]).toMatchObject({
      level: 'error',
      message: expect.stringContaining(String(invalidToken)),
      fix: expect.stringContaining('VERCEL_ACCESS_TOKEN'),
    })
    expect(JSON.stringify(findings)).not.toContain(TOKEN)
  })

  test('a Vercel that is not there', async () => {
    expect(await checkVercelAccess(connectionTo(await deadUrl()))).toMatchObject([
      { level: 'error', fix: expect.stringContaining('VERCEL_API_URL') },
      { subject: 'Clock', level: 'warning', fix: expect.any(String) },
    ])
  })

  test('a clock that is an hour off', async () => {
    const date = new Date(Date.now() - 3_600_000).toUTCString()
    const { connection } = await smallServer(json(404, {}, { date }))
    expect((await checkVercelAccess(connection))[1]).toMatchObject({
      level: 'warning',
      message: expect.stringMatching(/^36\d\d s/),
      fix: expect.stringContaining('NTP'),
    })
  })

  test('and a Vercel that tells no time is not held against it', async () => {
    const { connection } = await smallServer((response) => {
      response.sendDate = false
      response.writeHead(404).end()
    })
    expect((await checkVercelAccess(connection))[1]).toMatchObject({ level: 'ok' })
  })
})
