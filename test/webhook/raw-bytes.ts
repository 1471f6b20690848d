import { once } from 'node:events'
import { connect } from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * Sends these bytes over a connection of its own and leaves it open: no client adds the rest of a request, or ends it.
 * The connection is destroyed when the test ends.
 */
export function rawBytes(url: string, ...parts: readonly (string | Uint8Array)[]) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const received: Buffer[] = []
  let isClosed = false
  socket.on('data', (chunk: Buffer) => received.push(chunk))
  // Who is cut off while sending hears of it as an error.
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
  })
  for (const part of parts) socket.write(part)
  onTestFinished(() => void socket.destroy())
  const answer = () => Buffer.concat(received).toString()
  return {
    socket,
    /** All that has come so far. */
    get answer() {
      return answer()
    },
    get isClosed() {
      return isClosed
    },
    /** Resolves with all that came, when the other side has ended the connection. */
    async ended() {
      if (!isClosed) await once(socket, 'close')
      return answer()
    },
  }
}

/** A POST to the webhook route with these headers, and as much of its body as is given. */
export function rawWebhook(door: string, headers: readonly string[], body?: string | Uint8Array) {
  const head = ['POST /webhooks/vercel HTTP/1.1', 'Host: holdpoint', ...headers, '', '']
  return rawBytes(door, head.join('\r\n'), ...(body ? [body] : []))
}
