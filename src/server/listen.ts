import type { AddressInfo } from 'node:net'
import { serve, type ServerType } from '@hono/node-server'
import type { Hono } from 'hono'

export interface Listener {
  /** Where the server answers, with the port it really got. */
  readonly url: string
  /** Takes no new connection, and resolves when every request in hand is answered, or cut off after 10 seconds. */
  close(): Promise<void>
}

/** Longer than Temporal may take to accept an event. */
const DRAIN_WITHIN_MS = 10_000

/** Starts to listen. Throws in three parts when the port is taken or forbidden. */
export async function listen(
  app: Hono,
  { host, port }: { host: string; port: number },
): Promise<Listener> {
  const server = await new Promise<ServerType>((resolve, reject) => {
    const starting = serve({ fetch: app.fetch, hostname: host, port }, () => resolve(starting))
    starting.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new Error(
          `Port ${port} on ${host} cannot be listened on (${cause.code}), so no webhook could come in. End what uses it, or set PORT to another.`,
          { cause },
        ),
      ),
    )
  })
  const address = server.address() as AddressInfo
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return {
    url: `http://${name.includes(':') ? `[${name}]` : name}:${address.port}`,
    close: () =>
      new Promise((resolve, reject) => {
        // A client keeps its connection when the request in hand is answered, and would hold us up until it tires.
        const giveUpAt = Date.now() + DRAIN_WITHIN_MS
        const closeIdle = setInterval(() => {
          if (!('closeIdleConnections' in server)) return
          if (Date.now() < giveUpAt) server.closeIdleConnections()
          else server.closeAllConnections()
        }, 50)
        server.close((error) => {
          clearInterval(closeIdle)
          if (error) reject(error)
          else resolve()
        })
      }),
  }
}
