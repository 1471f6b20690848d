import type { SystemId } from '../systems/system.ts'
import type { Figure, Figures } from './figures.ts'
import {
  cpuPerAction,
  events,
  floodLost,
  greatestRate,
  grown,
  neighbourBeside,
  neighbourIdle,
  overhead,
  peakOfAppWithOpen,
  refusedCalls,
  SEQUENTIAL,
  unfinished,
} from './known-figures.ts'
import { printed } from './table.ts'

/** What Holdpoint promises of its figures: ratios, so that the machine matters little. */
interface Requirement {
  readonly text: string
  /** Undefined when not all that it needs was measured. */
  readonly value: (figures: Figures) => number | undefined
  readonly atMost?: number
  readonly atLeast?: number
}

export interface Verdict {
  readonly text: string
  readonly value: number
  readonly holds: boolean
}

const ours = (figure: Figure) => (figures: Figures) => figures.median(figure, 'holdpoint')

const ratio = (figure: Figure, peer: SystemId) => (figures: Figures) =>
  divide(figures.median(figure, 'holdpoint'), figures.median(figure, peer))

const requirements: readonly Requirement[] = [
  {
    text: 'overhead p50, Vercel 20 ms, to bare: at most 0.85',
    value: ratio(overhead(50, SEQUENTIAL, 20), 'bare'),
    atMost: 0.85,
  },
  {
    text: 'overhead p50, Vercel 0 ms, to bare: at most 6',
    value: ratio(overhead(50, SEQUENTIAL, 0), 'bare'),
    atMost: 6,
  },
  {
    text: 'overhead p50, Vercel 0 ms, to plain: at most 0.08',
    value: ratio(overhead(50, SEQUENTIAL, 0), 'plain'),
    atMost: 0.08,
  },
  ...[0, 20].map((latencyMs) => ({
    text: `overhead p99 to p50 at 20 a second, Vercel ${latencyMs} ms: at most 3`,
    value: (figures: Figures) =>
      divide(
        ours(overhead(99, '20 a second', latencyMs))(figures),
        ours(overhead(50, '20 a second', latencyMs))(figures),
      ),
    atMost: 3,
  })),
  {
    text: 'greatest rate to plain: at least 6',
    value: ratio(greatestRate, 'plain'),
    atLeast: 6,
  },
  {
    text: 'CPU per action to plain: at most 0.3',
    value: ratio(cpuPerAction, 'plain'),
    atMost: 0.3,
  },
  { text: 'history events of env: at most 8', value: ours(events('env')), atMost: 8 },
  { text: 'history events of branch: at most 14', value: ours(events('branch')), atMost: 14 },
  ...(['overhead p50', 'CPU'] as const).map((what) => ({
    text: `${what} per action after 10,000 actions to after 100: at most 1.2`,
    value: (figures: Figures) =>
      divide(ours(grown(what, 10_000))(figures), ours(grown(what, 100))(figures)),
    atMost: 1.2,
  })),
  {
    text: 'memory of the application with 1,000 actions open: under 500 MiB',
    value: ours(peakOfAppWithOpen),
    atMost: 500,
  },
  { text: 'of 1,000 actions open at once, never finished: 0', value: ours(unfinished), atMost: 0 },
  {
    text: 'overhead p95 of a neighbour beside a queued flood to idle: at most 1.2',
    value: (figures) => divide(ours(neighbourBeside)(figures), ours(neighbourIdle)(figures)),
    atMost: 1.2,
  },
  { text: 'terminal statuses lost in a flood: 0', value: ours(floodLost), atMost: 0 },
  { text: 'calls answered with 429 in a flood: under 5 %', value: ours(refusedCalls), atMost: 5 },
]

function divide(dividend: number | undefined, divisor: number | undefined): number | undefined {
  return dividend === undefined || divisor === undefined ? undefined : dividend / divisor
}

/** Judges all requirements whose figures were measured. */
export function judge(figures: Figures): Verdict[] {
  return requirements.flatMap(({ text, value, atMost = Infinity, atLeast = -Infinity }) => {
    const measured = value(figures)
    if (measured === undefined) return []
    return [{ text, value: measured, holds: measured <= atMost && measured >= atLeast }]
  })
}

export function verdictLines(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ text, value, holds }) => `${holds ? 'holds ' : 'BROKEN'}  ${text} (${printed(value)})`)
    .join('\n')
}
