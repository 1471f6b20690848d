import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

/** Where a connection breaks: before the nth statement reaches the server, or when it was done and nobody heard. */
export interface Cut {
  /** 1, 2, …; over all connections through the proxy since it was asked for. A login counts as a statement. */
  readonly nth: number
  readonly side: 'before' | 'after'
}

/** A way to a Postgres server that breaks where it is told to. */
export interface PostgresProxy {
  /** The server's URL, through the proxy. */
  readonly url: string
  /** Breaks one connection here; replaces a cut that has not come yet. */
  cut(cut: Cut): void
  /** Whether the last cut has come. */
  hasCut(): boolean
  /** The statements without values that came through, in their order. */
  heard(): readonly string[]
  /** Keeps the connections, and no byte passes any more. */
  fallSilent(): void
  close(): Promise<void>
}

const SSL_REQUEST = 80_877_103
const GSS_REQUEST = 80_877_104
const CANCEL_REQUEST = 80_877_102

export async function startPostgresProxy(serverUrl: string): Promise<PostgresProxy> {
  const target = new URL(serverUrl)
  const sockets = new Set<Socket>()
  const heard: string[] = []
  let [planned, statements, silent]: [Cut | undefined, number, boolean] = [undefined, 0, false]

  /** Counts a statement that has come; answers where it is to be cut. */
  const sideOfNext = (): Cut['side'] | undefined => {
    statements += 1
    if (planned?.nth !== statements) return undefined
    const { side } = planned
    planned = undefined
    return side
  }

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    const breakDown = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        breakDown()
      })
    }
    let isLastAnswer = false
    let isLogin = false
    const fromClient = messageReader({ hasStartup: true }, (message, type) => {
      if (silent) return
      if (type === 'startup') {
        const code = message.readInt32BE(4)
        if (code === SSL_REQUEST || code === GSS_REQUEST) return void client.write('N')
        if (code === CANCEL_REQUEST) return void upstream.write(message)
      }
      if (type === 'Q') heard.push(message.toString('utf8', 5, message.length - 1))
      // A statement with values is several messages, of which the first parses it and the last asks for the answer.
      const side = ['startup', 'Q', 'P'].includes(type) ? sideOfNext() : undefined
      if (side === 'before') return breakDown()
      if (side === 'after') isLastAnswer = true
      isLogin = isLastAnswer && (isLogin || type === 'startup')
      upstream.write(message)
    })
    const fromServer = messageReader({ hasStartup: false }, (message, type) => {
      if (silent) return
      if (isLastAnswer && type === 'Z') return breakDown()
      // A login is a conversation, a statement only has an answer.
      if (!isLastAnswer || isLogin) client.write(message)
    })
    client.on('data', fromClient)
    upstream.on('data', fromServer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const url = new URL(serverUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    cut(cut) {
      planned = cut
      statements = 0
    },
    hasCut: () => planned === undefined,
    heard: () => heard,
    fallSilent: () => {
      silent = true
    },
    close: async () => closeServer(server, sockets),
  }
}

async function closeServer(server: Server, sockets: Set<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy()
  server.close()
  await once(server, 'close')
}

/** Cuts a stream of bytes into Postgres's messages; the very first ones of a client have no type. */
function messageReader(
  { hasStartup }: { hasStartup: boolean },
  onMessage: (message: Buffer, type: string) => void,
): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  let isStartup = hasStartup
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    for (;;) {
      const head = isStartup ? 0 : 1
      if (rest.length < head + 4) return
      const length = head + rest.readInt32BE(head)
      if (rest.length < length) return
      const message = rest.subarray(0, length)
      rest = rest.subarray(length)
      const type = isStartup ? 'startup' : String.fromCharCode(message[0] ?? 0)
      const code = isStartup ? message.readInt32BE(4) : 0
      if (code !== SSL_REQUEST && code !== GSS_REQUEST) isStartup = false
      onMessage(message, type)
    }
  }
}
