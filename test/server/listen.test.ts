import { Hono } from 'hono'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Listener, type ListenSettings, listen } from '../../src/server/listen.ts'
import { rawBytes } from '../webhook/raw-bytes.ts'

/** A server on a free port whose one answer waits until the test lets it go. */
async function heldServer(settings: Partial<ListenSettings> = {}) {
  let arrived = () => {}
  let release = () => {}
  const reached = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const app = new Hono()
  app.get('/held', async (c) => {
    arrived()
    await released
    return c.text('done')
  })
  app.get('/', (c) => c.text('here'))
  const listener = await listen(app, { host: '127.0.0.1', port: 0, ...settings })
  return { listener, reached, release }
}

const text = async (url: string) => (await fetch(url)).text()

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1'],
])('the URL names an address that answers, with the port it got: %s', async (host, shown) => {
  const app = new Hono().get('/', (c) => c.text('here'))
  const listener = await listen(app, { host, port: 0 })
  onTestFinished(() => listener.close())
  expect(listener.url).toMatch(new RegExp(`^http://${shown}:[1-9]\\d+$`))
  expect(await text(listener.url)).toBe('here')
})

test('a port that is taken is named, with why it matters and what to do', async () => {
  const { listener } = await heldServer()
  onTestFinished(() => listener.close())
  const { port } = new URL(listener.url)
  await expect(listen(new Hono(), { host: '127.0.0.1', port: Number(port) })).rejects.toThrow(
    `Port ${port} on 127.0.0.1 cannot be listened on (EADDRINUSE), so no webhook could come in. End what uses it, or set PORT to another.`,
  )
})

describe('who takes a place and sends nothing is cut off:', () => {
  const impatient = async () => {
    const app = new Hono().post('/', async (c) => c.text(await c.req.text().catch(() => 'cut off')))
    app.get('/', (c) => c.text('here'))
    const listener = await listen(app, { host: '127.0.0.1', port: 0, receiveWithinMs: 200 })
    onTestFinished(() => listener.close())
    return listener.url
  }

  test.each([
    ['nothing at all', []],
    ['half of its headers', ['POST / HTTP/1.1']],
    ['half of its body', ['POST / HTTP/1.1', 'Content-Length: 10', 'Host: x', '', '01234']],
    [
      'a body in chunks without an end',
      ['POST / HTTP/1.1', 'Transfer-Encoding: chunked', 'Host: x', '', '1', 'x', ''],
    ],
  ])('after %s', async (_, lines) => {
    const cut = await rawBytes(await impatient(), lines.join('\r\n')).ended()
    expect(cut).toMatch(/^HTTP\/1.1 408 /)
  })

  test('but not who waits for an answer, however long that takes', async () => {
    const { listener, reached, release } = await heldServer({ receiveWithinMs: 50 })
    onTestFinished(() => listener.close())
    const held = text(`${listener.url}/held`)
    await reached
    // Another connection is cut off meanwhile, for having been open for longer than a request may take.
    await rawBytes(listener.url, '').ended()
    release()
    expect(await held).toBe('done')
  })

  test('and one connection more than may be open gets none', async () => {
    const { listener, reached, release } = await heldServer({ maxConnections: 1 })
    onTestFinished(() => listener.close())
    const held = text(`${listener.url}/held`)
    await reached
    expect(await rawBytes(listener.url, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n').ended()).toBe('')
    release()
    expect(await held).toBe('done')
  })
})

describe('closing', () => {
  const closed = (listener: Listener) => {
    const state = { done: false, at: 0 }
    const closing = listener.close().then(() => Object.assign(state, { done: true }))
    return { state, closing }
  }

  test('waits for the request in hand, which gets its answer, and takes no other', async () => {
    const { listener, reached, release } = await heldServer()
    const held = text(`${listener.url}/held`)
    await reached
    const { state, closing } = closed(listener)
    await expect.poll(() => text(listener.url).catch(() => 'refused')).toBe('refused')
    expect(state.done).toBe(false)
    release()
    expect(await held).toBe('done')
    const answered = performance.now()
    await closing
    // Not for connections that are merely kept open for a next request.
    expect(performance.now() - answered).toBeLessThan(1000)
  })

  test('does not wait for connections without a request', async () => {
    const { listener } = await heldServer()
    expect(await text(listener.url)).toBe('here')
    const began = performance.now()
    await listener.close()
    expect(performance.now() - began).toBeLessThan(1000)
  })
})
