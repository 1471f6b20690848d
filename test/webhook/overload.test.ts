import { createHmac } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { createApp } from '../../src/server/app.ts'
import { listen } from '../../src/server/listen.ts'
import { rawWebhook } from './raw-bytes.ts'

// The front door over real HTTP while more comes in than it can take.

const MIB = 1024 * 1024
const wellFormed = `x-vercel-signature: ${'a'.repeat(40)}`

let door: { readonly url: string }
let accepted: string[]
let answer: () => Promise<'accepted'>

beforeEach(async () => {
  accepted = []
  answer = () => Promise.resolve('accepted')
  const app = createApp({
    secrets: ['secret'],
    accept: async (event) => {
      const status = await answer()
      if (event.kind === 'action') accepted.push(event.action.key.deploymentId)
      return status
    },
    unready: () => Promise.resolve(undefined),
    log: silentLog,
  })
  const listener = await listen(app, { host: '127.0.0.1', port: 0 })
  // After the sockets of the test are gone, which it would wait for.
  onTestFinished(() => listener.close())
  door = listener
})

function signedEvent(deploymentId: string, bytes = 0, installationId = 'icfg_A') {
  const event = JSON.stringify({
    id: 'uev_1',
    type: 'deployment.integration.action.start',
    createdAt: 1_767_225_600_123,
    payload: {
      installationId,
      resourceId: 'db',
      action: 'branch',
      deployment: { id: deploymentId },
    },
  }).padEnd(bytes)
  const signature = createHmac('sha1', 'secret').update(event).digest('hex')
  return { event, signature: `x-vercel-signature: ${signature}` }
}

/** Sends a signed start of that deployment, and answers how it was answered. */
async function deliver(deploymentId: string, bytes?: number, installationId?: string) {
  const { event, signature } = signedEvent(deploymentId, bytes, installationId)
  const { status, headers, body } = await post(event, signature.slice(signature.indexOf(' ') + 1))
  return { deploymentId, status, retryAfter: headers.get('retry-after'), code: body.error?.code }
}

/** Sends a signed start of that deployment without its length. */
function deliverInChunks(deploymentId: string, installationId?: string) {
  const { event, signature } = signedEvent(deploymentId, 0, installationId)
  const chunked = `${event.length.toString(16)}\r\n${event}\r\n0\r\n\r\n`
  const headers = [signature, 'Transfer-Encoding: chunked', 'Connection: close']
  return rawWebhook(door.url, headers, chunked)
}

async function post(body: string | Uint8Array<ArrayBuffer>, signature: string) {
  const response = await fetch(`${door.url}/webhooks/vercel`, {
    method: 'POST',
    body,
    headers: { 'x-vercel-signature': signature },
  })
  const { status, headers } = response
  return { status, headers, body: (await response.json()) as { error?: { code: string } } }
}

/** So many requests of strangers who announce such a body, send `sent` of it, and no more. */
function stalled(count: number, bytes: number, sent?: Uint8Array) {
  return Array.from({ length: count }, () =>
    rawWebhook(door.url, [wellFormed, `Content-Length: ${bytes}`], sent),
  )
}

const ids = (count: number) => Array.from({ length: count }, (_, index) => `dpl_${index}`)
const stillOpen = (requests: readonly { isClosed: boolean }[]) =>
  requests.filter(({ isClosed }) => !isClosed).length

describe('is answered before a byte of its body was sent:', () => {
  test.each([
    ['a request without a signature', ['Content-Length: 1000'], 401],
    ['one whose signature is none', ['Content-Length: 1000', 'x-vercel-signature: sha1=abc'], 401],
    ['one that comes in chunks without a signature', ['Transfer-Encoding: chunked'], 401],
    ['one that announces over 1 MiB', [`Content-Length: ${MIB + 1}`, wellFormed], 413],
  ])('%s', async (_, headers, status) => {
    const refused = await rawWebhook(door.url, headers).ended()
    expect(refused).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(refused).toMatch(/^connection: close\r$/im)
  })
})

describe('while strangers flood the door', () => {
  test('with large bodies and wrong signatures, every signed event is accepted', async () => {
    const large = new Uint8Array(MIB)
    let flooding = true
    onTestFinished(() => {
      flooding = false
    })
    const answers = new Set<unknown>()
    const flood = Array.from({ length: 40 }, async (_, index) => {
      while (flooding) {
        // Whoever is refused while sending may see the connection end before the answer.
        await post(large, index % 2 ? 'a'.repeat(40) : 'none').then(
          ({ status }) => answers.add(status),
          () => answers.add('cut off'),
        )
      }
    })
    await expect.poll(() => answers.size, { timeout: 20_000 }).toBeGreaterThan(0)
    const deliveries = ids(50)
    for (let sent = 0; sent < deliveries.length; sent += 25) {
      const batch = await Promise.all(deliveries.slice(sent, sent + 25).map((id) => deliver(id)))
      expect(batch.map(({ status }) => status)).toEqual(Array(25).fill(200))
    }
    flooding = false
    await Promise.all(flood)
    expect(accepted.sort()).toEqual(deliveries.sort())
    expect([...answers]).not.toContain(200)
  }, 60_000)

  test.each([
    ['large bodies', 40, MIB, undefined],
    ['bodies as small as a webhook', 600, 64 * 1024, undefined],
    ['large bodies, to large events too', 40, MIB, 100 * 1024],
  ])(
    'that never end, the door stays open to signed events: %s',
    async (_, count, bytes, ofEvent) => {
      const strangers = stalled(count, bytes)
      const room = (32 * MIB) / bytes
      await expect.poll(() => stillOpen(strangers), { timeout: 20_000 }).toBe(room)
      for (const id of ids(10)) {
        expect(await deliver(id, ofEvent)).toMatchObject({ status: 200 })
      }
      expect(accepted).toEqual(ids(10))
      // The small ones found their place without taking one from the large.
      if (bytes === MIB && !ofEvent) expect(stillOpen(strangers)).toBe(room)
    },
  )

  test('a signed event that comes in chunks is accepted as well', async () => {
    const strangers = stalled(40, MIB)
    await expect.poll(() => stillOpen(strangers), { timeout: 20_000 }).toBe(32)
    expect(await deliverInChunks('dpl_chunked').ended()).toMatch(/^HTTP\/1.1 200 /)
    expect(accepted).toEqual(['dpl_chunked'])
  })

  test('who gives way is told with 503 to come again', async () => {
    const strangers = stalled(33, MIB)
    await expect.poll(() => stillOpen(strangers), { timeout: 20_000 }).toBe(32)
    const refused = strangers.find(({ isClosed }) => isClosed)?.answer
    expect(refused).toMatch(/^HTTP\/1.1 503 /)
    expect(refused).toMatch(/^retry-after: [1-9]\d*\r$/im)
    expect(refused).toContain('"code":"overloaded"')
  })

  test('no more of their bodies is in memory than there is room for', async () => {
    const before = liveBufferBytes()
    let [held, heldBefore] = [0, 0]
    stalled(200, MIB, new Uint8Array(MIB - 1))
    // Until no more of it is read.
    const grows = () => {
      ;[held, heldBefore] = [liveBufferBytes() - before, held]
      return held < 31 * MIB || Math.abs(held - heldBefore) > MIB
    }
    await expect.poll(grows, { timeout: 50_000, interval: 200 }).toBe(false)
    expect(held).toBeLessThan(80 * MIB)
  })
})

describe('while Temporal accepts nothing', () => {
  /** Acceptance that waits until it is let go; and how many wait for it. */
  function holdAcceptance() {
    const waiting: (() => void)[] = []
    answer = () => new Promise((resolve) => waiting.push(() => resolve('accepted')))
    return {
      waiting,
      release() {
        answer = () => Promise.resolve('accepted')
        for (const go of waiting.splice(0)) go()
      },
    }
  }

  test('1000 events are kept, what comes then is answered 503 at once, and the kept are answered 200', async () => {
    const temporal = holdAcceptance()
    const answers: Awaited<ReturnType<typeof deliver>>[] = []
    const deliveries = ids(1050).map(async (id, index) =>
      answers.push(await deliver(id, undefined, `icfg_${index % 50}`)),
    )
    await expect.poll(() => answers.length, { timeout: 20_000 }).toBe(50)
    for (const refused of answers) {
      expect(refused).toMatchObject({ status: 503, code: 'overloaded' })
      expect(Number(refused.retryAfter)).toBeGreaterThan(0)
    }
    // Temporal itself is asked for no more than 200 at once.
    expect(temporal.waiting.length).toBe(200)
    expect(accepted).toEqual([])

    temporal.release()
    await Promise.all(deliveries)
    const answered = answers.filter(({ status }) => status === 200)
    expect(answered.length).toBe(1000)
    expect(accepted.sort()).toEqual(answered.map(({ deploymentId }) => deploymentId).sort())
    expect(await deliver('dpl_later')).toMatchObject({ status: 200 })
  })

  test('no more bytes of events are kept than there is room for, and none gives way once it is signed', async () => {
    const temporal = holdAcceptance()
    const answers: number[] = []
    const deliveries = ids(520).map(async (id) =>
      answers.push((await deliver(id, 64 * 1024)).status),
    )
    await expect.poll(() => answers, { timeout: 20_000 }).toEqual(Array(8).fill(503))
    temporal.release()
    await Promise.all(deliveries)
    expect(accepted.length).toBe(512)
  })

  test('events that came in chunks are kept as well, for they are no larger than others', async () => {
    const temporal = holdAcceptance()
    const requests = ids(100).map((id, index) => deliverInChunks(id, `icfg_${index % 10}`))
    await expect.poll(() => temporal.waiting.length, { timeout: 20_000 }).toBe(100)
    temporal.release()
    for (const request of requests) expect(await request.ended()).toMatch(/^HTTP\/1.1 200 /)
  })

  test('the crowd of one installation keeps no other one waiting', async () => {
    const temporal = holdAcceptance()
    const crowd = ids(900).map((id) => deliver(id))
    await expect.poll(() => temporal.waiting.length, { timeout: 20_000 }).toBe(10)
    answer = () => Promise.resolve('accepted')
    expect(await deliver('dpl_other', undefined, 'icfg_B')).toMatchObject({ status: 200 })
    expect(accepted).toEqual(['dpl_other'])
    temporal.release()
    await Promise.all(crowd)
  })

  test('the answer waits for the acceptance and for nothing after it', async () => {
    const temporal = holdAcceptance()
    const { event, signature } = signedEvent('dpl_1')
    const request = rawWebhook(door.url, [signature, `Content-Length: ${event.length}`], event)
    await expect.poll(() => temporal.waiting.length).toBe(1)
    // Another request goes all the way meanwhile: the answer had its chance to go out early.
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200)
    expect(request.answer).toBe('')
    temporal.release()
    await expect.poll(() => request.answer).toMatch(/^HTTP\/1.1 200 /)
  })
})

test('what was answered takes no room, however it was answered', async () => {
  const answers = new Set<number>()
  for (const [index, id] of ids(600).entries()) {
    answer = () =>
      index % 2 ? Promise.resolve('accepted') : Promise.reject(new Error('Temporal is away.'))
    answers.add((await deliver(id, 64 * 1024)).status)
  }
  expect(answers).toEqual(new Set([200, 503]))
  answer = () => Promise.resolve('accepted')
  expect(await deliver('dpl_last')).toMatchObject({ status: 200 })
})

test('a request without any body has no event', async () => {
  const signature = createHmac('sha1', 'secret').digest('hex')
  const app = createApp({
    secrets: ['secret'],
    accept: answer,
    unready: () => Promise.resolve(undefined),
    log: silentLog,
  })
  const headers = { 'x-vercel-signature': signature }
  expect((await app.request('/webhooks/vercel', { method: 'POST', headers })).status).toBe(400)
})

/** The bytes of buffers that are still in use in this process. */
function liveBufferBytes(): number {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}
