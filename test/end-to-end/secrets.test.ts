import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import proto from '@temporalio/proto'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { register } from 'tsx/cjs/api'
import { expect, onTestFinished, test } from 'vitest'
import { encryptedFailureConverterPath } from '../../src/temporal/data-converter.ts'
import { sql } from '../drivers/postgres-under-test.ts'
import { devServerEnvironment } from '../servers/temporal-environment.ts'
import { findSecrets } from './find-secrets.ts'
import {
  eventually,
  type HoldpointSettings,
  type HoldpointUnderTest,
  startHoldpoint,
} from './holdpoint-under-test.ts'
import { ownPostgresUrl } from '../servers/own-servers.ts'

const { History, HistoryEvent } = proto.temporal.api.history.v1
type IHistory = proto.temporal.api.history.v1.IHistory

/** Ended after the test, in the order that leaves no run without its worker. */
async function start(settings: HoldpointSettings = {}) {
  const temporal = await devServerEnvironment()
  const holdpoint = await startHoldpoint({ ...settings, temporal })
  onTestFinished(() => holdpoint.close())
  // Knows nothing of encryption: sees what Temporal has.
  return { holdpoint, stranger: temporal.client }
}

async function allHistories(client: Client): Promise<{ workflowId: string; history: IHistory }[]> {
  const histories = []
  for await (const { workflowId, runId } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory()
    histories.push({ workflowId, history })
  }
  return histories
}

/** A history as it is exported, as its payloads read, and as it is on the wire and in Temporal's database. */
function textsOf(history: IHistory): string[] {
  return [
    historyToJSON(history),
    ...payloadsOf(history).map(({ data }) => Buffer.from(data).toString('latin1')),
    Buffer.from(History.encode(history).finish()).toString('latin1'),
  ]
}

interface Payload {
  readonly metadata: Record<string, Uint8Array>
  readonly data: Uint8Array
}

/** Every payload of a history, but for search attributes, which Temporal itself must read. */
function payloadsOf(value: unknown): Payload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array)
    return [value as unknown as Payload]
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'searchAttributes' ? [] : payloadsOf(inner),
  )
}

/** Stands before the front door and keeps every answer that leaves it. */
async function listenAtDoor(holdpoint: HoldpointUnderTest) {
  const answers: string[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { method = 'GET', headers, url } = request
      const answer = await fetch(`${holdpoint.url}${url}`, {
        method,
        headers: { 'x-vercel-signature': String(headers['x-vercel-signature']) },
        ...(method === 'POST' && { body: Buffer.concat(chunks) }),
      })
      const body = await answer.text()
      answers.push(`${answer.status} ${JSON.stringify([...answer.headers])} ${body}`)
      response.writeHead(answer.status).end(body)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    holdpoint.vercel.webhookUrl = `${holdpoint.url}/webhooks/vercel`
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  holdpoint.vercel.webhookUrl = `${url}/webhooks/vercel`
  return { url, answers }
}

const passwordOf = (url: string | undefined) => decodeURIComponent(new URL(url ?? '').password)

test('no part of a secret is in a history, a log line or an HTTP answer, whatever became of the deployment', async () => {
  const flag = randomBytes(18).toString('base64url')
  const { holdpoint, stranger } = await start({ env: { FEATURE_FLAGS: `on&${flag}=?` } })
  const { vercel } = holdpoint
  const door = await listenAtDoor(holdpoint)
  const project = holdpoint.createProject(['branch', 'env'])
  const succeeded = { kind: 'patch', status: 'succeeded' } as const

  const released = await holdpoint.release(project)
  vercel.dials.failNext.push({ match: succeeded, answer: 'cut-after' })
  const lost = await holdpoint.release(project)
  vercel.dials.failNext.push({ match: succeeded, answer: { status: 400 }, times: 2 })
  const refused = holdpoint.deploy(project)
  await holdpoint.ended(refused)
  vercel.dials.failNext.push({ match: succeeded, answer: 'no-answer', times: 2 })
  const canceled = holdpoint.deploy(project)
  await eventually(() => expect(vercel.dials.failNext).toEqual([]))
  vercel.cancel(canceled.id)
  await holdpoint.ended(canceled, { after: 'cancel' })
  const cleaned = await holdpoint.release(project)
  vercel.remove(cleaned.id)
  await holdpoint.ended(cleaned, { after: 'cleanup' })
  await holdpoint.ended(holdpoint.deploy(holdpoint.createProject(['branch'], 'missing')))
  await vercel.sendWebhook({ ...vercel.actionEvent('start', lost.id), signature: 'wrong' })
  await vercel.sendWebhook({ type: 'deployment.integration.action.start', payload: {} })
  for (const path of ['/healthz', '/readyz', '/nothing']) await fetch(`${door.url}${path}`)

  const secrets = {
    'password of the released branch': passwordOf(released.env['DATABASE_URL']),
    'password of the branch whose report was lost': passwordOf(lost.env['DATABASE_URL']),
    'password of the branch that is gone': passwordOf(cleaned.env['DATABASE_URL']),
    'password of the server': passwordOf(ownPostgresUrl()),
    'access token': holdpoint.secrets.accessToken,
    'client secret': holdpoint.secrets.clientSecret,
    'variable of the configuration': flag,
  }
  const histories = await eventually(async () => {
    const found = await allHistories(stranger)
    expect(found.length).toBeGreaterThanOrEqual(12)
    return found
  })
  for (const { workflowId, history } of histories)
    for (const text of textsOf(history))
      expect([workflowId, findSecrets(text, secrets)]).toEqual([workflowId, []])
  expect(holdpoint.logLines.join('\n')).toContain('action.succeeded')
  for (const line of holdpoint.logLines)
    expect([line, findSecrets(line, secrets)]).toEqual([line, []])
  expect(door.answers.length).toBeGreaterThanOrEqual(12)
  for (const text of door.answers) expect([text, findSecrets(text, secrets)]).toEqual([text, []])

  // The search finds them where they belong: in what was reported to Vercel.
  const reported = JSON.stringify(vercel.records)
  expect(findSecrets(reported, secrets)).toEqual([
    'password of the released branch',
    'password of the branch whose report was lost',
    'password of the branch that is gone',
    'variable of the configuration',
  ])
})

test('the search for secrets finds a part of one, in every form', () => {
  const secret = 'k3y/With+Any?Ch4racter_in-it&"so=that%it@needs#escapes'
  const part = secret.slice(7, 21)
  const history: IHistory = {
    events: [
      HistoryEvent.create({
        activityTaskCompletedEventAttributes: {
          result: { payloads: [{ data: Buffer.from(JSON.stringify({ note: part })) }] },
        },
      }),
    ],
  }
  const forms = [
    part,
    `at the end ${secret.slice(-13)}`,
    JSON.stringify(secret.slice(-26)),
    encodeURIComponent(secret.slice(10, 24)),
    ...['', 'a', 'ab'].map((lead) => Buffer.from(lead + part).toString('base64')),
    ...['', 'a', 'ab'].map((lead) => Buffer.from(lead + part).toString('base64url')),
    Buffer.from(part).toString('hex'),
    ...textsOf(history).filter((text) => text.length > 0),
  ]
  for (const form of forms)
    expect([form, findSecrets(form, { secret })]).toEqual([form, ['secret']])
  expect(findSecrets(secret.slice(0, 11), { secret })).toEqual([])
})

test('with encryption keys, payloads and failures are sealed, and a new key in front continues an open run', async () => {
  // Temporal's SDK loads the failure converter by its path, and Node 20 runs no TypeScript by itself.
  onTestFinished(register())
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-bundle-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const codePath = join(directory, 'workflow-bundle.js')
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(import.meta.dirname, '../../workflows/index.ts'),
    failureConverterPath: encryptedFailureConverterPath,
    logger: new DefaultLogger('ERROR'),
  })
  await writeFile(codePath, code)
  const [oldKey, newKey] = ['old', 'new'].map((id) => `${id}:${randomBytes(32).toString('hex')}`)
  const temporal = { ...(await devServerEnvironment()), workflowBundle: { codePath } }
  const holdpoint = await startHoldpoint({
    temporal,
    variables: { HOLDPOINT_ENCRYPTION_KEYS: oldKey ?? '' },
  })
  onTestFinished(() => holdpoint.close())
  const { vercel, source } = holdpoint

  const missing = holdpoint.deploy(holdpoint.createProject(['branch'], 'no such shop'))
  expect(await holdpoint.ended(missing)).toMatchObject({ status: 'FAILED', phase: 'failed' })
  expect(vercel.deployment(missing.id).actions[0]?.statusText).toContain('no such shop')
  const { failNext } = vercel.dials
  failNext.push({
    match: { kind: 'patch', status: 'succeeded' },
    answer: { status: 503 },
    times: 99,
  })
  const open = holdpoint.deploy()
  await eventually(() => expect(failNext[0]?.times).toBeLessThan(99))
  await holdpoint.restart({ HOLDPOINT_ENCRYPTION_KEYS: `${newKey},${oldKey}` })
  failNext.length = 0
  const released = await vercel.until(open.id, ({ readyState }) => readyState === 'READY')
  expect(await sql(released.env['DATABASE_URL'] ?? '', 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect(await holdpoint.ended(open)).toMatchObject({ status: 'COMPLETED', phase: 'succeeded' })

  const histories = await eventually(async () => {
    const found = (await allHistories(temporal.client)).filter(({ workflowId }) =>
      workflowId.startsWith('action~'),
    )
    expect(found).toHaveLength(2)
    return found
  })
  const keyIds = new Set<string>()
  for (const { history } of histories) {
    const payloads = payloadsOf(history)
    const sealed = payloads.filter(
      ({ metadata }) => Buffer.from(metadata['encoding'] ?? []).toString() === 'binary/encrypted',
    )
    expect(sealed.length).toBeGreaterThan(5)
    for (const { metadata } of sealed)
      keyIds.add(Buffer.from(metadata['encryption-key-id'] ?? []).toString())
    for (const { data } of payloads) {
      const text = Buffer.from(data).toString('latin1')
      for (const word of [source.name, 'no such shop', open.id, 'storefront'])
        expect(text).not.toContain(word)
    }
    // Sentences of failures: the deployment's user reads them at Vercel, and nobody in Temporal.
    expect(historyToJSON(history)).not.toMatch(
      /There is no database|Vercel answered|at the Postgres/,
    )
  }
  expect([...keyIds].sort()).toEqual(['new', 'old'])
  expect(JSON.stringify(histories.map(({ history }) => historyToJSON(history)))).toContain(
    'Encoded failure',
  )
})
