/** What a request gets instead of its answer. */
export type FaultAnswer =
  | {
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: unknown
    }
  /** The connection is cut, and the request has had no effect. */
  | 'cut-before'
  /** The request takes effect, then the connection is cut: its answer is lost. */
  | 'cut-after'
  /** No answer until the caller gives up or the simulator closes; the request has had no effect. */
  | 'no-answer'

/** A planned fault. What `match` leaves out matches everything. */
export interface Fault {
  readonly match?: {
    /**
     * `get` reads a deployment, `patch` updates an action, `resource` reads or changes a resource, `installation`
     * anything else of an installation, `check` lists or registers checks or updates one of v1, `check-run` reads or updates
     * a check run.
     */
    readonly kind?: RequestKind
    /** `GET`, `PATCH`, `POST`, `PUT`, `DELETE`. */
    readonly method?: string
    /** The `status` in the body of an update. */
    readonly status?: string
    readonly deploymentId?: string
  }
  readonly answer: FaultAnswer
  /** How many requests it hits; 1 unless said. */
  readonly times?: number
}

/** Faults that hit a share of all requests; the same seed hits the same requests again. */
export interface RandomFaults {
  /** From 0 to 1. */
  readonly rate: number
  readonly seed: number
  /** Unless said: 503, 429 without Retry-After, a cut before and a cut after. */
  readonly answers?: readonly FaultAnswer[]
}

export type RequestKind = 'get' | 'patch' | 'resource' | 'installation' | 'check' | 'check-run'

export interface FaultTarget {
  readonly kind: RequestKind
  readonly method: string
  readonly status?: string
  readonly deploymentId?: string
}

const COMMON_FAULTS: readonly FaultAnswer[] = [
  { status: 503 },
  { status: 429 },
  'cut-before',
  'cut-after',
]

/** Picks what goes wrong with a request: the first planned fault that matches it, else perhaps a random one. */
export function createFaultChooser(dials: {
  readonly failNext: Fault[]
  readonly randomFaults: RandomFaults | undefined
}) {
  let random: { readonly of: RandomFaults; readonly next: () => number } | undefined

  return function chooseFault(target: FaultTarget): FaultAnswer | undefined {
    const index = dials.failNext.findIndex((fault) => matches(fault, target))
    const planned = dials.failNext[index]
    if (planned) {
      const left = (planned.times ?? 1) - 1
      dials.failNext.splice(index, 1, ...(left > 0 ? [{ ...planned, times: left }] : []))
      return planned.answer
    }
    if (!dials.randomFaults) return undefined
    if (random?.of !== dials.randomFaults)
      random = { of: dials.randomFaults, next: seededRandom(dials.randomFaults.seed) }
    // Both numbers are drawn every time, so that a hit does not shift the requests after it.
    const [hit, which] = [random.next(), random.next()]
    const answers = dials.randomFaults.answers ?? COMMON_FAULTS
    return hit < dials.randomFaults.rate ? answers[Math.floor(which * answers.length)] : undefined
  }
}

function matches({ match = {} }: Fault, target: FaultTarget): boolean {
  return (
    (match.kind === undefined || match.kind === target.kind) &&
    (match.method === undefined || match.method === target.method) &&
    (match.status === undefined || match.status === target.status) &&
    (match.deploymentId === undefined || match.deploymentId === target.deploymentId)
  )
}

// mulberry32: small, and the same numbers on every machine.
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
