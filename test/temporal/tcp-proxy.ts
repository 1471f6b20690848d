import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A way to a server that can fall silent: connections stay, and no byte passes any more. */
export interface TcpProxy {
  readonly address: string
  fallSilent(): void
  /** As `fallSilent`, but the server sees that its callers are gone, and hands them no work any more. */
  cutOff(): void
}

/** Passes on what comes in to the given address until the test ends. */
export async function tcpProxy(target: string): Promise<TcpProxy> {
  const [host = '', targetPort = ''] = target.split(':')
  const callers = new Set<Socket>()
  const onward = new Set<Socket>()
  let silent = false
  const server = createServer((near) => {
    const far = connect(Number(targetPort), host)
    callers.add(near)
    onward.add(far)
    for (const socket of [near, far]) socket.on('error', () => {})
    near.on('close', () => far.destroy())
    far.on('close', () => silent || near.destroy())
    near.on('data', (bytes) => silent || far.write(bytes))
    far.on('data', (bytes) => silent || near.write(bytes))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of [...callers, ...onward]) socket.destroy()
    server.close()
  })
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    fallSilent: () => {
      silent = true
    },
    cutOff: () => {
      silent = true
      for (const socket of onward) socket.destroy()
    },
  }
}
