import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Protocol, Splitter } from './protocols.ts'

/**
 * When something happens to a call: before the server gets it, while the server has it, or when the server has
 * answered and the client does not know yet.
 */
export type Moment = 'before' | 'during' | 'after'

export interface Trap {
  /** Which call, counted from 1 among those that `matching` lets through since the trap was set. */
  readonly call: number
  readonly matching?: RegExp
  readonly moment: Moment
  /** Done at that moment; the call then goes no further. */
  readonly spring: () => void
}

/** A way to a server on which calls can be counted, and something can be done right at one of them. */
export interface InterceptingProxy {
  readonly port: number
  /** Sets a trap in place of the one before. The promise resolves with the call's text once it has sprung. */
  set(trap: Trap): Promise<string>
  /** The trap will not spring any more, not even for the answer of a call that it was set for. */
  unset(): void
  close(): Promise<void>
}

interface PassingCall {
  readonly text: string
  readonly trap: Trap | undefined
}

/** Passes on everything between its clients and a server of this machine. The server may come and go. */
export async function interceptCalls(
  protocol: Protocol,
  serverPort: number,
): Promise<InterceptingProxy> {
  const sockets = new Set<Socket>()
  let trap: Trap | undefined
  let armed: Trap | undefined
  let sprung: (text: string) => void = () => {}
  let counted = 0

  /** The trap, when it is set for this call. */
  const trapFor = (text: string) => {
    if (!trap || (trap.matching && !trap.matching.test(text))) return undefined
    counted += 1
    if (counted !== trap.call) return undefined
    const found = trap
    trap = undefined
    return found
  }
  const springs = (call: PassingCall | undefined, moment: Moment) => {
    if (call?.trap === undefined || call.trap !== armed || armed.moment !== moment) return false
    armed = undefined
    call.trap.spring()
    sprung(call.text)
    return true
  }

  const server = createServer((near) => {
    const far = connect(serverPort, '127.0.0.1')
    const passing = new Map<number, PassingCall>()
    let cut = false
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    const requests = (split: Splitter) => (chunk: Buffer) => {
      for (const { bytes, call } of split(chunk)) {
        if (cut) return
        const found = call && { text: call.text, trap: trapFor(call.text) }
        if (call && found) passing.set(call.stream, found)
        cut = springs(found, 'before')
        if (cut) return
        far.write(bytes)
        springs(found, 'during')
      }
    }
    const answers = (split: Splitter) => (chunk: Buffer) => {
      for (const { bytes, answers } of split(chunk)) {
        if (cut) return
        const found = answers === undefined ? undefined : passing.get(answers)
        if (answers !== undefined) passing.delete(answers)
        cut = springs(found, 'after')
        if (cut) return
        near.write(bytes)
      }
    }
    near.on('data', requests(protocol.requests()))
    far.on('data', answers(protocol.answers()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    set(wanted) {
      counted = 0
      trap = wanted
      armed = wanted
      return new Promise((resolve) => (sprung = resolve))
    },
    unset() {
      trap = undefined
      armed = undefined
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
