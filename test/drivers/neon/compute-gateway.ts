import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to the Postgres server, as Neon's proxy is one to its computes. */
export interface ComputeGateway {
  readonly port: number
  /** Connections that came through to the server since it was opened. */
  connections(): number
  /** What clients sent through it, as text. */
  sent(): string
  /** So many further connections are broken off, as while a compute starts. */
  sleepFor(connections: number): void
  close(): Promise<void>
}

export async function openGateway(serverUrl: string): Promise<ComputeGateway> {
  const target = new URL(serverUrl)
  const sockets = new Set<Socket>()
  let [asleepFor, connections, sent] = [0, 0, '']
  const server = createServer((client) => {
    if (asleepFor > 0) {
      asleepFor -= 1
      return void client.destroy()
    }
    connections += 1
    client.on('data', (bytes: Buffer) => {
      sent += bytes.toString('latin1')
    })
    const upstream = connect(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    sent: () => sent,
    sleepFor: (count) => {
      asleepFor = count
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
