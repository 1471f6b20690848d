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

export interface ListenSettings {
  readonly host: string
  readonly port: number
  /**
   * How long a request may take to come in whole, in milliseconds; a connection that sends nothing has as long. A
   * webhook is a few kilobytes, sent at once; Node would give a slow sender 5 minutes.
   */
  readonly receiveWithinMs?: number
  /** Connections at once; one more is closed unanswered. Each costs some tens of kilobytes; Node sets no bound. */
  readonly maxConnections?: number
}

/**
 * Starts to listen. Who sends too slowly is answered 408 and cut off. Throws in three parts when the port is taken or
 * forbidden.
 */
export async function listen(
  app: Hono,
  { host, port, receiveWithinMs = 10_000, maxConnections = 4096 }: ListenSettings,
): Promise<Listener> {
  const serverOptions = {
    headersTimeout: receiveWithinMs,
    requestTimeout: receiveWithinMs,
    // Node looks every 30 seconds for who is late.
    connectionsCheckingInterval: receiveWithinMs / 10,
  }
  const server = await new Promise<ServerType>((resolve, reject) => {
    const starting = serve({ fetch: app.fetch, hostname: host, port, serverOptions }, () =>
      resolve(starting),
    )
    starting.maxConnections = maxConnections
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
