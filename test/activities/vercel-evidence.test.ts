import { expect, test } from 'vitest'
import { pace } from '../../activities/pace.ts'
import { evidenceReader } from '../../activities/vercel-evidence.ts'
import { type Answer, json, smallServer } from '../vercel/small-server.ts'

const owner = {
  installationId: 'icfg_A',
  resourceId: 'db/1',
  deploymentId: 'dpl_1',
  action: 'branch',
}
const { signal } = new AbortController()
const refused = (status: number, headers?: Record<string, string>) =>
  json(status, { error: { code: 'refused', message: 'No.' } }, headers)

/** A reader of a Vercel that answers the deployment and the resource so. */
async function reader(deployment: Answer, resource: Answer = json(200, {})) {
  const { connection, received } = await smallServer((response, request) =>
    (request.target.includes('/resources/') ? resource : deployment)(response, request),
  )
  return { read: evidenceReader(connection, pace(0)), received }
}

test('a deployment that is shown proves the token by itself', async () => {
  const { read, received } = await reader(json(200, { id: 'dpl_1', readyState: 'READY' }))
  expect(await read(owner, signal)).toEqual({
    kind: 'answered',
    deployment: { standing: 'passed' },
    installationSeen: true,
  })
  expect(received).toHaveLength(1)
})

test.each([
  [404, json(200, {}), true],
  [410, json(200, {}), true],
  [404, refused(403), false],
  [404, refused(404), false],
  [404, refused(500), false],
] as const)(
  'one that is unknown (%i) is so for a token that sees the resource',
  async (status, resource, seen) => {
    const { read } = await reader(refused(status), resource)
    expect(await read(owner, signal)).toEqual({
      kind: 'answered',
      deployment: { standing: 'gone' },
      installationSeen: seen,
    })
  },
)

test.each([401, 403, 500])('an answer of %i says nothing of the deployment', async (status) => {
  const { read, received } = await reader(refused(status))
  expect(await read(owner, signal)).toEqual({
    kind: 'unanswered',
    because: `Vercel does not tell about the deployment (${status} refused).`,
  })
  expect(received).toHaveLength(1)
})

test('at the rate limit it rests as long as Vercel asks, and asks again', async () => {
  let limited = 2
  const { read, received } = await reader((response, request) =>
    (limited-- > 0 ? refused(429, { 'retry-after': '0.05' }) : json(200, { id: 'dpl_1' }))(
      response,
      request,
    ),
  )
  const begun = performance.now()
  expect(await read(owner, signal)).toMatchObject({ kind: 'answered' })
  expect(performance.now() - begun).toBeGreaterThanOrEqual(95)
  expect(received).toHaveLength(3)
})

test('what was asked before is not asked again', async () => {
  const { read, received } = await reader(refused(404))
  await Promise.all([read(owner, signal), read({ ...owner, action: 'cache' }, signal)])
  await read({ ...owner, deploymentId: 'dpl_2' }, signal)
  expect(new Set(received.map(({ target }) => target.split('?')[0]))).toEqual(
    new Set([
      '/v1/installations/icfg_A/resources/db%2F1',
      '/v13/deployments/dpl_1',
      '/v13/deployments/dpl_2',
    ]),
  )
  expect(received).toHaveLength(3)
})

test('calls are spread over time, however many want to be made at once', async () => {
  const turns = pace(20)
  const begun = performance.now()
  await Promise.all([1, 2, 3, 4].map(() => turns.next(signal)))
  expect(performance.now() - begun).toBeGreaterThanOrEqual(58)
})

test('a wait for a turn ends when the survey is stopped', async () => {
  const turns = pace(60_000)
  const stop = new AbortController()
  await turns.next(stop.signal)
  const waiting = turns.next(stop.signal)
  stop.abort()
  await expect(waiting).rejects.toThrow()
})
