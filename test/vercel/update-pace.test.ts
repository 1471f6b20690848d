import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createUpdatePace } from '../../src/vercel/update-pace.ts'
import { playCrowd } from './crowd.ts'

const WINDOW_MS = 60_000
/** What was sent this far apart reaches Vercel a window apart. */
const SPAN_MS = 61_000
/** A place is given a little later still. */
const PLACE_SPAN_MS = 62_000
const PLACE_KEPT_MS = 10_000

function paceAt(updates = 100) {
  let clock = 0
  const pace = createUpdatePace({ updates, windowMs: WINDOW_MS, now: () => clock })
  return {
    pace,
    now: () => clock,
    pass: (ms: number) => {
      clock += ms
    },
    /** How long it must wait, 0 when it may go. */
    ask: (ticket: string | number, installationId = 'icfg_1') => {
      const admission = pace.admitTerminal({ installationId, ticket: `${ticket}` })
      return admission.admitted ? 0 : admission.afterMs
    },
    askAll: (from: number, to: number) => {
      const waits = []
      for (let ticket = from; ticket < to; ticket += 1) {
        const admission = pace.admitTerminal({ installationId: 'icfg_1', ticket: `${ticket}` })
        waits.push(admission.admitted ? 0 : admission.afterMs)
      }
      return waits
    },
  }
}

describe('600 updates at once, all taken and none refused', () => {
  const theoreticalMs = 5 * WINDOW_MS
  const crowds = [
    ['at the same instant', {}],
    ['with 50 a second, on ways of up to 900 ms', { perSecond: 50, wayMs: 900 }],
    ['coming back up to a second late', { wayMs: 200, lateMs: 1000 }],
  ] as const

  describe.each(['fixed', 'sliding'] as const)('in %s windows', (counter) => {
    test.each(crowds)('%s', (_, manner) => {
      const result = playCrowd({ counter, updates: 600, ...manner })

      expect(result).toMatchObject({ taken: 600, refused: 0, mostAsks: 2 })
      expect(result.lastTakenAt).toBeLessThan(1.1 * theoreticalMs)
    })

    test('after a restart: Vercel’s first refusals hold the others back', () => {
      const result = playCrowd({
        counter,
        updates: 600,
        sentBefore: 100,
        perSecond: 50,
        wayMs: 100,
      })

      expect(result.taken).toBe(600)
      expect(result.refused).toBeLessThan(0.02 * result.calls)
      expect(result.lastTakenAt).toBeLessThan(1.1 * (theoreticalMs + WINDOW_MS))
    })

    test('by each of two processes: fewer than one in 20 calls is refused', () => {
      const result = playCrowd({ counter, processes: 2, updates: 600, perSecond: 50, wayMs: 100 })

      expect(result.taken).toBe(1200)
      expect(result.refused).toBeLessThan(0.05 * result.calls)
      expect(result.lastTakenAt).toBeLessThan(1.2 * 11 * WINDOW_MS)
    })
  })

  test('they are taken in the order in which they came', () => {
    const { order } = playCrowd({ counter: 'fixed', updates: 600 })

    expect(order).toEqual(Array.from({ length: 600 }, (_, index) => index))
  })
})

describe('a place', () => {
  test('is at least a tenth of a second from the next one, so that others get their turn between', () => {
    const { askAll } = paceAt(100)
    const waits = askAll(0, 600).slice(100)

    expect(waits[0]).toBe(PLACE_SPAN_MS)
    for (const [index, wait] of waits.slice(1).entries())
      expect(wait - waits[index]!).toBeGreaterThanOrEqual(100)
  })

  test('is kept when it is asked for again, and not given twice', () => {
    const { ask, askAll, pass } = paceAt(1)
    askAll(0, 3)
    pass(1000)

    expect(ask(1)).toBe(PLACE_SPAN_MS - 1000)
    expect(ask(2)).toBe(2 * PLACE_SPAN_MS - 1000)
    expect(ask(3)).toBe(3 * PLACE_SPAN_MS - 1000)
  })

  test('is kept from one who came later, for 10 seconds after its time', () => {
    const { ask, askAll, pass } = paceAt(1)
    askAll(0, 2)
    pass(PLACE_SPAN_MS + PLACE_KEPT_MS)

    expect(ask('newcomer')).toBeGreaterThan(0)
    expect(ask(1)).toBe(0)
  })

  test('that nobody comes back to is free after that', () => {
    const { ask, askAll, pass } = paceAt(1)
    askAll(0, 2)
    pass(PLACE_SPAN_MS + PLACE_KEPT_MS + 1)

    expect(ask('newcomer')).toBe(0)
  })

  test('is free at once when its action was withdrawn, and costs none of the others theirs', () => {
    const { pace, ask, askAll, pass } = paceAt(1)
    askAll(0, 4)
    pace.leave({ installationId: 'icfg_1', ticket: '1' })
    pass(PLACE_SPAN_MS)

    expect(ask('newcomer')).toBe(0)
    pass(PLACE_SPAN_MS)
    expect(ask(2)).toBe(0)
    pass(PLACE_SPAN_MS)
    expect(ask(3)).toBe(0)
  })

  test('of one who is a second late costs nobody behind another try', () => {
    const { ask, askAll, pass } = paceAt(1)
    askAll(0, 3)
    pass(PLACE_SPAN_MS + 1000)
    expect(ask(1)).toBe(0)
    pass(PLACE_SPAN_MS - 1000)

    expect(ask(2)).toBe(0)
  })

  test('is not had by more than 5,000 of an installation; the next are told when to ask', () => {
    const { ask, askAll, pass } = paceAt(100)
    askAll(0, 5_100)

    const wait = ask('one too many')
    expect(wait).toBeGreaterThan(PLACE_SPAN_MS)
    pass(1)
    // With a place it would come before this one.
    expect(ask('another')).toBe(wait - 1)
  })
})

describe('`running`', () => {
  test('leaves four tenths of the limit to terminal statuses', () => {
    const { pace, askAll } = paceAt(100)
    const sent = Array.from({ length: 100 }, () => pace.admitRunning('icfg_1'))

    expect(sent.filter(Boolean)).toHaveLength(60)
    expect(askAll(0, 41).map((wait) => wait === 0)).toEqual([...Array(40).fill(true), false])
  })

  test('is not sent while a terminal status waits', () => {
    const { pace, askAll, pass } = paceAt(2)
    askAll(0, 3)
    pass(PLACE_SPAN_MS)

    expect(pace.admitRunning('icfg_1')).toBe(false)
    expect(pace.admitRunning('icfg_2')).toBe(true)
  })
})

describe('after a refusal', () => {
  test('nothing is sent before the time that Vercel named, nor after a later, shorter one', () => {
    const { pace, ask, pass } = paceAt()
    pace.refused('icfg_1', 30_000)
    pace.refused('icfg_1', 1000)

    expect(ask(1)).toBe(30_000)
    expect(pace.admitRunning('icfg_1')).toBe(false)
    expect(ask(1, 'icfg_2')).toBe(0)
    pass(30_000)
    expect(ask(1)).toBe(0)
  })

  test('that names no time, a second passes, then twice as long each time, until one is taken', () => {
    const { pace, ask, pass } = paceAt()
    for (const waitMs of [1000, 2000, 4000, 8000, 16_000, 32_000, WINDOW_MS, WINDOW_MS]) {
      // Those in flight with it are no news.
      for (let call = 0; call < 3; call += 1) pace.refused('icfg_1', undefined)
      expect(ask(1)).toBe(waitMs)
      pass(waitMs)
    }
    pace.taken('icfg_1')
    pace.refused('icfg_1', undefined)
    expect(ask(1)).toBe(1000)
  })

  test('however often, a fifth of the limit is left', () => {
    const { pace, askAll, pass } = paceAt()
    pass(2 * WINDOW_MS)
    for (let time = 0; time < 20; time += 1) {
      pace.refused('icfg_1', 1000)
      pass(1000)
    }
    expect(askAll(0, 200).filter((wait) => wait === 0)).toHaveLength(20)
  })

  test('less is sent, as another process uses the token, and gradually all again', () => {
    const { pace, askAll, pass } = paceAt()
    const sentInOneGo = () => askAll(0, 200).filter((wait) => wait === 0).length
    pass(2 * WINDOW_MS)
    // Several calls were under way.
    for (let call = 0; call < 5; call += 1) pace.refused('icfg_1', 1000)
    pass(1000)
    expect(sentInOneGo()).toBe(75)

    pass(6 * WINDOW_MS)
    expect(sentInOneGo()).toBe(100)
  })
})

type Step =
  | { readonly kind: 'terminal' | 'leave'; readonly installation: number; readonly ticket: number }
  | { readonly kind: 'running'; readonly installation: number }
  | { readonly kind: 'refused'; readonly installation: number; readonly afterMs: number }
  | { readonly kind: 'pass'; readonly ms: number }

const installation = fc.nat(1)
const ticket = fc.nat(12)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('terminal' as const), installation, ticket }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('running' as const), installation }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('leave' as const), installation, ticket }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('refused' as const),
        installation,
        afterMs: fc.nat(90_000),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        ms: fc.oneof(fc.nat(200), fc.nat(20_000), fc.constantFrom(60_000, 61_000, 62_000, 72_001)),
      }),
    },
  ),
  { size: 'large', maxLength: 200 },
)
const manyRuns = { numRuns: 500 }

describe('for any order of updates, refusals and pauses', () => {
  test('no window gets more than the limit, none gets one while Vercel refuses, and `running` takes no one’s place', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), steps, (updates, steps) => {
        for (const [index, { at, step, before, wait }] of play(updates, steps).entries()) {
          if (wait !== 0 || (step.kind !== 'terminal' && step.kind !== 'running')) continue
          const where = `step ${index} at ${at}`
          expect(before.sent.filter((sentAt) => sentAt > at - SPAN_MS).length, where).toBeLessThan(
            updates,
          )
          expect(before.closedUntil, where).toBeLessThanOrEqual(at)
          if (step.kind === 'terminal') continue
          expect(before.waiting, where).toEqual([])
          const sent = before.sent.filter((sentAt) => sentAt > at - WINDOW_MS).length + 1
          expect(updates - sent, where).toBeGreaterThanOrEqual(0.4 * updates)
        }
      }),
      manyRuns,
    )
  })

  test('a terminal status waits only for what was sent, for those before it, and for Vercel', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), steps, (updates, steps) => {
        for (const [index, { at, step, before, wait }] of play(updates, steps).entries()) {
          if (step.kind !== 'terminal' || wait === 0 || before.refusals > 0) continue
          const where = `step ${index} at ${at}`
          const sent = before.sent.filter((sentAt) => sentAt > at - PLACE_SPAN_MS)
          const others = before.waiting.filter((other) => other !== step.ticket)
          const inLimit = sent.filter((sentAt) => sentAt > at - SPAN_MS)
          expect(inLimit.length + others.length, where).toBeGreaterThanOrEqual(updates)
          // No moment is taken but by as many as the limit, all of them within a window before and after it.
          const full = Math.floor((sent.length + others.length) / updates)
          expect(wait, where).toBeLessThanOrEqual((full + 1) * 2 * PLACE_SPAN_MS)
        }
      }),
      manyRuns,
    )
  })

  test('one installation gets the same answers whatever the others do', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), steps, (updates, steps) => {
        const alone = steps.filter((step) => step.kind === 'pass' || step.installation === 0)

        expect(answersTo0(play(updates, steps))).toEqual(answersTo0(play(updates, alone)))
      }),
      manyRuns,
    )
  })

  test('those who come back at their time are served then, in the order in which they came', () => {
    const pauses = fc.array(fc.oneof(fc.constant(0), fc.nat(15_000)), {
      minLength: 1,
      maxLength: 40,
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), pauses, (updates, pauses) => {
        const { ask, pass, now } = paceAt(updates)
        const agenda = pauses.map((_, ticket) => ({
          ticket,
          at: pauses.slice(0, ticket + 1).reduce((sum, pause) => sum + pause, 0),
          asks: 0,
        }))
        const served: number[] = []
        while (agenda.length > 0) {
          agenda.sort((a, b) => a.at - b.at || a.ticket - b.ticket)
          const visit = agenda[0]!
          pass(visit.at - now())
          visit.asks += 1
          const wait = ask(visit.ticket)
          visit.at += wait
          expect(visit.asks).toBeLessThanOrEqual(2)
          if (wait > 0) continue
          agenda.shift()
          if (visit.asks === 2) served.push(visit.ticket)
        }
        expect(served).toEqual(served.toSorted((a, b) => a - b))
      }),
      manyRuns,
    )
  })
})

test('an installation that sends nothing for a window is forgotten', () => {
  const { ask, pass } = paceAt()
  const before = heapUsed()
  for (let index = 0; index < 50_000; index += 1) ask('1', `icfg_${index}`)
  const full = heapUsed()
  pass(PLACE_SPAN_MS + PLACE_KEPT_MS)
  ask('1', 'icfg_last')

  expect(full - before).toBeGreaterThan(5_000_000)
  expect(heapUsed() - before).toBeLessThan((full - before) / 4)
  expect(ask('2', 'icfg_last')).toBe(0)
})

interface Played {
  readonly at: number
  readonly step: Step
  /** Zero when it may go, undefined when it was no question. */
  readonly wait: number | undefined
  /** What was known of the installation before the step. */
  readonly before: {
    readonly sent: readonly number[]
    readonly waiting: readonly number[]
    readonly closedUntil: number
    readonly refusals: number
  }
}

/** Plays the steps, and keeps books of its own. */
function play(updates: number, steps: readonly Step[]): Played[] {
  const { pace, ask, now, pass } = paceAt(updates)
  const books = [0, 1].map(() => ({
    sent: [] as number[],
    dueAt: new Map<number, number>(),
    closedUntil: 0,
    refusals: 0,
  }))
  return steps.map((step) => {
    const at = now()
    const book = books[step.kind === 'pass' ? 0 : step.installation]!
    const { sent, closedUntil, refusals } = book
    const waiting = [...book.dueAt].filter(([, dueAt]) => at <= dueAt + PLACE_KEPT_MS)
    const before = { sent: [...sent], waiting: waiting.map(([who]) => who), closedUntil, refusals }
    if (step.kind === 'pass') {
      pass(step.ms)
      return { at, step, before, wait: undefined }
    }
    const id = `icfg_${step.installation}`
    switch (step.kind) {
      case 'terminal': {
        const wait = ask(step.ticket, id)
        if (wait === 0) book.dueAt.delete(step.ticket)
        else book.dueAt.set(step.ticket, at + wait)
        if (wait === 0) sent.push(at)
        return { at, step, before, wait }
      }
      case 'running': {
        const admitted = pace.admitRunning(id)
        if (admitted) sent.push(at)
        return { at, step, before, wait: admitted ? 0 : Infinity }
      }
      case 'leave':
        pace.leave({ installationId: id, ticket: `${step.ticket}` })
        book.dueAt.delete(step.ticket)
        return { at, step, before, wait: undefined }
      case 'refused':
        pace.refused(id, step.afterMs)
        book.closedUntil = Math.max(closedUntil, at + step.afterMs)
        book.refusals += 1
        return { at, step, before, wait: undefined }
    }
  })
}

function answersTo0(played: readonly Played[]) {
  return played
    .filter(({ step }) => step.kind !== 'pass' && step.installation === 0)
    .map(({ wait }) => wait)
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}
