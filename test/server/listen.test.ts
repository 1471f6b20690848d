import { Hono } from 'hono'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Listener, listen } from '../../src/server/listen.ts'

/** A server on a free port whose one answer waits until the test lets it go. */
async function heldServer() {
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
  return { listener: await listen(app, { host: '127.0.0.1', port: 0 }), reached, release }
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
