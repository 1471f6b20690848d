import { connect, createServer } from 'node:net'

/** Answers the preferred port if it is free, else one that the system gives. */
export async function freePort(ip: string, preferred?: number): Promise<number> {
  if (preferred !== undefined && (await listenOnce(ip, preferred)) === preferred) return preferred
  const given = await listenOnce(ip, 0)
  if (given === undefined)
    throw new Error(`No port on ${ip} is free: is it an address of this machine?`)
  return given
}

/** Answers whether somebody accepts connections there. */
export function answers(ip: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port, timeout: 1_000 })
    const settle = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })
}

function listenOnce(ip: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host: ip, port, exclusive: true }, () => {
      const address = server.address()
      const listening = typeof address === 'object' ? address?.port : undefined
      server.close(() => resolve(listening))
    })
  })
}
