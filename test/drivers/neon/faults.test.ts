import { inspect } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ActionFailure } from '../../../src/domain/failure.ts'
import { driverCall } from '../../../src/testing/driver-call.ts'
import { API_KEY } from './fake-neon.ts'
import { LINES, neonScene, useFakeNeon } from './neon-scene.ts'
import { neonAt } from './neon-under-test.ts'

const fake = useFakeNeon()

test('a locked project is waited for, and whether the branch is wanted is asked before each request', async () => {
  const { driver, project, ref, lines, changes } = await neonScene(fake())
  const locked = {
    status: 423,
    headers: { 'retry-after': '0' },
    body: { code: '', message: 'locked' },
  }
  fake().fault({ on: creationIn(project.id), times: 3, gives: locked })
  let confirmed = 0
  const confirm = async () => {
    confirmed += 1
  }
  await driver.createBranch({ source: project.id, ref }, driverCall({ confirm }))
  expect(confirmed).toBe(4)
  expect(changes()).toHaveLength(4)
  expect(await lines()).toEqual(LINES)
})

test('a creation that is given up while the project is locked makes nothing', async () => {
  const { driver, project, ref } = await neonScene(fake())
  fake().fault({ on: creationIn(project.id), gives: { status: 423, body: {} } })
  const answers = [() => Promise.resolve(), () => Promise.reject(new Error('given up'))]
  const confirm = async () => answers.shift()?.()
  await expect(
    driver.createBranch({ source: project.id, ref }, driverCall({ confirm })),
  ).rejects.toBeInstanceOf(ActionFailure)
  expect(project.branches.size).toBe(1)
})

test('a rate limit is waited for as long as Neon asks', async () => {
  const { project, create, lines } = await neonScene(fake())
  const limited = { status: 429, headers: { 'retry-after': '1' }, body: { message: 'slow down' } }
  fake().fault({ on: new RegExp(`GET /projects/${project.id}/branches$`), gives: limited })
  const before = performance.now()
  await create()
  expect(performance.now() - before).toBeGreaterThan(990)
  expect(await lines()).toEqual(LINES)
})

test('a longer pause than a call has patience for is handed to whoever tries again', async () => {
  const { project, create } = await neonScene(fake())
  const limited = { status: 429, headers: { 'retry-after': '120' }, body: { message: 'slow down' } }
  fake().fault({ on: creationIn(project.id), gives: limited })
  await expect(create()).rejects.toMatchObject({
    code: 'neon_rate_limited',
    retryable: true,
    retryAfterMs: 120_000,
  })
})

test.each([
  { status: 500, body: {} },
  { status: 502, body: 'Bad gateway' },
  'lost',
  'not heard',
] as const)('a question that gets %j is asked again', async (gives) => {
  const { project, create, lines } = await neonScene(fake())
  fake().fault({ on: new RegExp(`GET /projects/${project.id}`), times: 2, gives })
  await create()
  expect(await lines()).toEqual(LINES)
})

test.each(['lost', 'late'] as const)(
  'a creation whose answer is %s is found, and not asked for twice',
  async (gives) => {
    const { project, create, lines, changes } = await neonScene(fake())
    fake().fault({ on: creationIn(project.id), gives })
    await create()
    expect(changes()).toHaveLength(1)
    expect(await lines()).toEqual(LINES)
  },
)

test('a creation that is canceled while Neon is at it ends when Neon has answered', async () => {
  const { driver, project, ref, changes } = await neonScene(fake())
  fake().fault({ on: creationIn(project.id), gives: 'slow' })
  const cancel = new AbortController()
  const reason = new Error('canceled')
  const call = driverCall({ signal: cancel.signal })
  const creation = driver.createBranch({ source: project.id, ref }, call)
  await vi.waitFor(() => expect(changes()).toHaveLength(1))
  cancel.abort(reason)
  await expect(creation).rejects.toBe(reason)
  expect(project.branches.size).toBe(2)
  await driver.deleteBranch(ref, driverCall())
  expect(project.branches.size).toBe(1)
})

test('a deletion that is canceled while Neon is at it ends when Neon has answered', async () => {
  const { driver, project, ref, create, changes } = await neonScene(fake())
  await create()
  fake().fault({ on: new RegExp(`DELETE .*${project.id}`), gives: 'slow' })
  const cancel = new AbortController()
  const reason = new Error('canceled')
  const deletion = driver.deleteBranch(ref, driverCall({ signal: cancel.signal }))
  await vi.waitFor(() => expect(changes()).toHaveLength(2))
  cancel.abort(reason)
  await expect(deletion).rejects.toBe(reason)
  expect(project.branches.size).toBe(1)
})

test('a creation that Neon broke on is left to the next try', async () => {
  const { project, create, lines, changes } = await neonScene(fake())
  fake().fault({ on: creationIn(project.id), gives: { status: 500, body: {} } })
  await expect(create()).rejects.toMatchObject({ code: 'neon_unavailable', retryable: true })
  expect(changes()).toHaveLength(1)
  await create()
  expect(await lines()).toEqual(LINES)
})

test('what Neon refuses is told in its words and not tried again', async () => {
  const { project, create } = await neonScene(fake())
  const message = 'the endpoint settings\nare not allowed'
  fake().fault({ on: creationIn(project.id), gives: { status: 422, body: { code: '', message } } })
  await expect(create()).rejects.toMatchObject({
    code: 'neon_refused',
    retryable: false,
    message: expect.stringContaining('the endpoint settings are not allowed') as string,
  })
})

test('an answer that is not of the API is told as one, and asked for again by the next try', async () => {
  const { project, create, lines } = await neonScene(fake())
  const list = new RegExp(`GET /projects/${project.id}/branches$`)
  fake().fault({ on: list, gives: { status: 200, body: { branches: [{ id: 1 }] } } })
  await expect(create()).rejects.toMatchObject({ code: 'neon_unavailable', retryable: true })
  await create()
  expect(await lines()).toEqual(LINES)
})

test('no failure tells the key, whatever went wrong and however it is printed', async () => {
  const { driver, project, ref, create } = await neonScene(fake())
  const wrong = 'napi_wrongwrongwrongwrong'
  const echo = { message: `bad key ${API_KEY} for postgres://a:secret@b/c and napi_other` }
  const failures: unknown[] = []
  const failsWith = async (work: Promise<unknown>) => {
    failures.push(
      await work.then(
        () => undefined,
        (error: unknown) => error,
      ),
    )
  }
  fake().fault({ on: creationIn(project.id), gives: { status: 400, body: echo } })
  await failsWith(create())
  await failsWith(
    neonAt(fake(), { apiKey: wrong }).createBranch({ source: project.id, ref }, driverCall()),
  )
  await failsWith(driver.openBranch(ref, driverCall()))
  fake().fault({ on: creationIn(project.id), gives: 'not heard' })
  await failsWith(create())
  for (const failure of failures) {
    expect(failure).toBeInstanceOf(ActionFailure)
    const printed = inspect(failure, { depth: 20, showHidden: true }) + String(failure)
    for (const secret of [API_KEY, wrong, 'secret@', 'napi_other', project.password])
      expect(printed).not.toContain(secret)
  }
  expect(failures.map((failure) => (failure as ActionFailure).code)).toEqual([
    'neon_refused',
    'neon_refused_key',
    'branch_missing',
    'neon_unavailable',
  ])
})

test('a wait for an address where nobody is ends when the call is canceled', async () => {
  const driver = neonAt({ url: 'http://127.0.0.1:1' })
  const cancel = new AbortController()
  const reason = new Error('canceled')
  setTimeout(() => cancel.abort(reason), 300)
  await expect(driver.listBranches(driverCall({ signal: cancel.signal }))).rejects.toBe(reason)
})

test('a redirect is not followed, so the key goes to no other host', async () => {
  const { project, create } = await neonScene(fake())
  fake().fault({
    on: new RegExp(`GET /projects/${project.id}/branches$`),
    gives: { status: 307, headers: { location: `${fake().url}/elsewhere` }, body: {} },
  })
  await expect(create()).rejects.toBeInstanceOf(ActionFailure)
  expect(
    fake()
      .heard()
      .some(({ line }) => line.includes('elsewhere')),
  ).toBe(false)
})

test('a proxy in the environment is passed by', async () => {
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY'])
    vi.stubEnv(name, 'http://127.0.0.1:1')
  vi.stubEnv('NO_PROXY', '')
  vi.stubEnv('no_proxy', '')
  onTestFinished(() => void vi.unstubAllEnvs())
  const { create, lines } = await neonScene(fake())
  await create()
  expect(await lines()).toEqual(LINES)
})

test.each([undefined, ''])(
  'without a key (%j) nothing is asked, and the check-up says so',
  async (apiKey) => {
    const driver = neonAt(fake(), { apiKey })
    const before = fake().heard().length
    await expect(driver.listBranches(driverCall())).rejects.toMatchObject({
      code: 'neon_key_missing',
      retryable: false,
    })
    expect(await driver.check()).toEqual([
      expect.objectContaining({ level: 'error', fix: expect.any(String) as string }),
    ])
    expect(fake().heard()).toHaveLength(before)
  },
)

test('the check-up tells whether the key is good and how much room the projects have', async () => {
  const { project, driver, create } = await neonScene(fake())
  const finding = async () =>
    (await driver.check()).find(({ subject }) => subject.includes(project.id))
  expect(await driver.check()).toContainEqual(
    expect.objectContaining({ subject: 'Neon API key', level: 'ok' }),
  )
  expect(await finding()).toMatchObject({ level: 'ok', message: 'branches: 1' })
  project.branchesLimit = 10
  expect(await finding()).toMatchObject({ level: 'ok' })
  project.branchesLimit = 2
  await create()
  expect(await finding()).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('2 of 2') as string,
  })

  const wrong = await neonAt(fake(), { apiKey: 'napi_wrong' }).check()
  expect(wrong).toMatchObject([{ level: 'error' }])
  const gone = await neonAt(fake(), { projects: ['gone-away-1', 'No Project'] }).check()
  expect(gone.map(({ level }) => level)).toEqual(['ok', 'error', 'error'])
})

function creationIn(project: string): RegExp {
  return new RegExp(`POST /projects/${project}/branches$`)
}
