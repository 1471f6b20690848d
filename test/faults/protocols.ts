/** A part of what passes a connection. Where it makes or answers a call, `stream` tells calls on one connection apart. */
export interface Part {
  readonly bytes: Buffer
  readonly call?: { readonly stream: number; readonly text: string }
  readonly answers?: number
}

/** Cuts the bytes of one direction of one connection into parts. Keeps what is not complete for the next time. */
export type Splitter = (bytes: Buffer) => Part[]

/** How calls are found in what passes between a client and a server. */
export interface Protocol {
  readonly requests: () => Splitter
  readonly answers: () => Splitter
}

/** Postgres: a call is a statement, `Q` or `P` on the wire. */
export const postgresProtocol: Protocol = {
  requests() {
    let begun = false
    return framed((waiting) => {
      // The first message has no type.
      const header = begun ? 1 : 0
      if (waiting.length < header + 4) return undefined
      const length = header + waiting.readUInt32BE(header)
      if (waiting.length < length) return undefined
      const bytes = waiting.subarray(0, length)
      const type = begun ? String.fromCharCode(bytes[0] ?? 0) : ''
      begun = true
      if (type !== 'Q' && type !== 'P') return { bytes }
      return { bytes, call: { stream: 0, text: bytes.subarray(5).toString() } }
    })
  },
  answers: anyBytesAnswer,
}

/** HTTP/1.1 with a `content-length`: a call is a request, its text the head and the body. */
export const httpProtocol: Protocol = {
  requests() {
    return framed((waiting) => {
      const headEnd = waiting.indexOf('\r\n\r\n')
      if (headEnd < 0) return undefined
      const head = waiting.subarray(0, headEnd).toString()
      const length = headEnd + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
      if (waiting.length < length) return undefined
      const bytes = waiting.subarray(0, length)
      return { bytes, call: { stream: 0, text: bytes.toString() } }
    })
  },
  answers: anyBytesAnswer,
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const HEADERS = 0x1

/** HTTP/2, as gRPC speaks it: a call is a stream. Which one it is stands compressed, so it has no text. */
export const grpcProtocol: Protocol = {
  requests: () => frames((stream, bytes) => ({ bytes, call: { stream, text: '' } })),
  answers: () => frames((stream, bytes) => ({ bytes, answers: stream })),
}

function frames(onHeaders: (stream: number, bytes: Buffer) => Part): Splitter {
  return framed((waiting) => {
    if (waiting.subarray(0, 3).toString() === PREFACE.slice(0, 3))
      return waiting.length < PREFACE.length
        ? undefined
        : { bytes: waiting.subarray(0, PREFACE.length) }
    if (waiting.length < 9) return undefined
    const length = 9 + waiting.readUIntBE(0, 3)
    if (waiting.length < length) return undefined
    const bytes = waiting.subarray(0, length)
    return bytes[3] === HEADERS ? onHeaders(bytes.readUInt32BE(5), bytes) : { bytes }
  })
}

function framed(take: (waiting: Buffer) => Part | undefined): Splitter {
  let waiting: Buffer = Buffer.alloc(0)
  return (bytes) => {
    waiting = Buffer.concat([waiting, bytes])
    const parts: Part[] = []
    for (let part = take(waiting); part; part = take(waiting)) {
      parts.push(part)
      waiting = waiting.subarray(part.bytes.length)
    }
    return parts
  }
}

// One call at a time: the first bytes that come back are its answer.
function anyBytesAnswer(): Splitter {
  return (bytes) => [{ bytes, answers: 0 }]
}
