import fc from 'fast-check'
import type { VercelDials, Withdrawal } from './model-vercel.ts'
import { type Fault, FAULTS, type Step, STEPS } from './script.ts'

/** When something happens: at a time after the deployments, or at a step of an action. */
export type Moment =
  | { readonly atMs: number }
  | {
      readonly on: Step
      readonly when: 'before' | 'after'
      /** Which time the step is taken, from 0. */
      readonly time: number
      readonly delayMs: number
    }

export const HAPPENINGS = [
  'a user cancels the deployment',
  'a user cancels the action',
  'a user skips the actions',
  'Vercel waits no longer',
  'the deployment fails',
  'the deployment is removed',
  'an operator cancels the run',
  'the worker dies',
  'the worker stands still for 4 seconds',
  'the worker stands still for 9 seconds',
  'the worker stands still for 3 minutes',
  'the worker forgets its runs',
  'the provider cuts all connections',
  'a sweep expires what nobody claims',
] as const

export type Happening = (typeof HAPPENINGS)[number]

/** One sequence: everything that befalls a few actions. Small and plain, so that it shrinks and prints well. */
export interface Scenario {
  /** How many actions each deployment has. */
  readonly deployments: readonly number[]
  /** How long each deployment comes after the one before. */
  readonly apartMs: number
  /** The git branch of each deployment in turn; null for one without git. */
  readonly gitBranches: readonly (string | null)[]
  /** Set where all deployments of a git branch share one. */
  readonly sharing: { readonly onPush: 'reuse' | 'reset'; readonly keepForMs: number } | null
  /** Whether the action makes anything; one that does not has no step at all. */
  readonly provisions: boolean
  /** The steps that the action has, beside its provision. */
  readonly steps: readonly ('migrate' | 'ready')[]
  readonly deadlineMs: number
  readonly reportRunningAfterMs: number | null
  readonly dials: VercelDials
  /** Whether a step that is told to stop does what it was about to do. */
  readonly stepsGoOn: boolean
  /**
   * Whether the provider's calls for one branch exclude each other, as a driver's must. Others, which an action may
   * have without a driver, are promised less: no worker of theirs dies or stands still here.
   */
  readonly excludes: boolean
  readonly alwaysReplays: boolean
  /** Whether the front door and the worker are processes of their own. */
  readonly rolesApart: boolean
  readonly happenings: readonly {
    readonly what: Happening
    readonly action: number
    readonly moment: Moment
  }[]
  readonly faults: readonly {
    readonly action: number
    readonly step: Step
    readonly fault: Fault
    /** How many calls go well before, and how many then go wrong. */
    readonly after: number
    readonly times: number
  }[]
  /** How webhooks come; those not named come once, at once. */
  readonly deliveries: readonly {
    readonly event: 'start' | Withdrawal
    readonly action: number
    readonly delayMs: number
    /** How long after the first one it is delivered again. */
    readonly againAfterMs: number | null
  }[]
  /** Whether a branch with the name of the first action's belongs to somebody else. */
  readonly nameTaken: boolean
}

const PLAIN: VercelDials = {
  afterTerminal: 409,
  afterEnd: 409,
  afterRemoval: 404,
  shows: 'full',
  removedReads: 404,
  goesOnAfterFailure: false,
  goesOnAfterTimeout: false,
  cancelsActionsOfEnded: true,
}

/** One deployment with one action, to which nothing happens. */
export const uneventful: Scenario = {
  deployments: [1],
  apartMs: 0,
  gitBranches: ['main'],
  sharing: null,
  provisions: true,
  steps: [],
  deadlineMs: 60_000,
  reportRunningAfterMs: 0,
  dials: PLAIN,
  stepsGoOn: false,
  excludes: true,
  alwaysReplays: false,
  rolesApart: false,
  happenings: [],
  faults: [],
  deliveries: [],
  nameTaken: false,
}

const action = fc.nat(3)
const refusal = fc.constantFrom(409 as const, 400 as const, 404 as const, 410 as const)

const dials: fc.Arbitrary<VercelDials> = fc.record({
  afterTerminal: fc.oneof(refusal, fc.constant(202 as const)),
  afterEnd: fc.oneof(refusal, fc.constant(202 as const)),
  afterRemoval: fc.constantFrom(404 as const, 410 as const, 409 as const),
  shows: fc.constantFrom('full' as const, 'public' as const, 'anonymous' as const),
  removedReads: fc.constantFrom(404 as const, 410 as const, 'soft-deleted' as const),
  goesOnAfterFailure: fc.boolean(),
  goesOnAfterTimeout: fc.boolean(),
  cancelsActionsOfEnded: fc.boolean().map((sent) => !sent),
})

const moment: fc.Arbitrary<Moment> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      on: fc.constantFrom(...STEPS),
      when: fc.constantFrom('before' as const, 'after' as const),
      time: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(3)),
      delayMs: fc.constantFrom(0, 1, 5, 15, 60, 700, 6000),
    }),
  },
  fc.record({ atMs: fc.constantFrom(0, 20, 100, 1000, 30_000, 90_000, 3_600_000, 400_000_000) }),
)

const fault: fc.Arbitrary<Scenario['faults'][number]> = fc.record({
  action,
  step: fc.constantFrom(...STEPS.filter((step) => step !== 'task')),
  fault: fc.constantFrom(...FAULTS),
  after: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(2)),
  times: fc.constantFrom(1, 1, 2, 3, 12, 40),
})

/** The answer to the outcome is lost, and what Vercel says then goes wrong too: rare among faults by chance. */
const lostOutcome: fc.Arbitrary<Scenario['faults']> = fc
  .tuple(action, fault, fault)
  .map(([lost, again, judged]) => [
    { ...again, action: lost, step: 'report succeeded', after: 1 },
    { ...judged, action: lost, step: 'judge refusal' },
    {
      action: lost,
      step: 'report succeeded',
      fault: 'cut off after its effect',
      after: 0,
      times: 1,
    },
  ])

const alone = {
  sharing: fc.constant(null),
  provisions: fc.nat(4).map((n) => n < 4),
  deployments: fc.oneof(
    { weight: 4, arbitrary: fc.constant([1]) },
    { weight: 2, arbitrary: fc.constant([2]) },
    { weight: 1, arbitrary: fc.constant([1, 1]) },
  ),
  apartMs: fc.constant(0),
  gitBranches: fc.constant(['main']),
  dials,
}

const shared = {
  provisions: fc.constant(true),
  sharing: fc.record({
    onPush: fc.constantFrom('reuse' as const, 'reset' as const),
    keepForMs: fc.constantFrom(0, 3_600_000),
  }),
  deployments: fc.oneof(
    { weight: 4, arbitrary: fc.constant([1, 1]) },
    { weight: 2, arbitrary: fc.constant([1, 1, 1]) },
    { weight: 1, arbitrary: fc.constantFrom([2, 1], [1, 1, 1, 1]) },
  ),
  apartMs: fc.constantFrom(0, 30, 120, 300, 5000, 50_000, 7_200_000),
  gitBranches: fc.oneof(
    { weight: 4, arbitrary: fc.constant(['main']) },
    fc.constantFrom(['main', 'next'], ['main', null], ['main', 'main', 'next']),
  ),
  // Vercel tells the git branch only where it shows all.
  dials: dials.map((some) => ({ ...some, shows: 'full' as const })),
}

/** Any sequence: three in ten with shared branches. */
export const scenarios: fc.Arbitrary<Scenario> = fc.oneof(
  { weight: 7, arbitrary: fc.record({ ...alone, ...anything() }) },
  { weight: 3, arbitrary: fc.record({ ...shared, ...anything() }) },
)

/** What may befall every sequence. */
function anything() {
  return {
    steps: fc.constantFrom([], [], ['migrate' as const], ['migrate' as const, 'ready' as const]),
    deadlineMs: fc.constantFrom(60_000, 5_000),
    reportRunningAfterMs: fc.constantFrom(0, 1000, null),
    stepsGoOn: fc.boolean(),
    excludes: fc.nat(3).map((n) => n < 3),
    alwaysReplays: fc.nat(15).map((n) => n === 15),
    rolesApart: fc.nat(3).map((n) => n === 3),
    happenings: fc.array(fc.record({ what: fc.constantFrom(...HAPPENINGS), action, moment }), {
      maxLength: 4,
    }),
    faults: fc.oneof({ weight: 9, arbitrary: fc.array(fault, { maxLength: 4 }) }, lostOutcome),
    deliveries: fc.array(
      fc.record({
        event: fc.constantFrom('start' as const, 'cancel' as const, 'cleanup' as const),
        action,
        delayMs: fc.constantFrom(0, 20, 60, 1000, 20_000, 3_600_000, 80_000_000),
        againAfterMs: fc.constantFrom(null, 0, 10, 100, 5000, 70_000_000),
      }),
      { maxLength: 3 },
    ),
    nameTaken: fc.nat(19).map((n) => n === 19),
  }
}

/** The scenario as a list of what is not as usual. */
export function describeScenario(scenario: Scenario): string[] {
  const { apartMs, gitBranches, sharing, steps } = scenario
  const lines = [
    `${scenario.deployments.map((count) => `a deployment with ${count} action(s)`).join(', ')}; deadline ${scenario.deadlineMs} ms`,
  ]
  if (apartMs > 0) lines.push(`each deployment comes ${apartMs} ms after the one before`)
  if (sharing)
    lines.push(
      `deployments of a git branch share one (${gitBranches.map((name) => name ?? 'none').join(', ')}); onPush ${sharing.onPush}, keepFor ${sharing.keepForMs} ms`,
    )
  if (!scenario.provisions) lines.push('the action makes nothing')
  else if (steps.length > 0) lines.push(`the action has the steps ${steps.join(' and ')}`)
  if (scenario.reportRunningAfterMs !== 0)
    lines.push(`running is reported after ${scenario.reportRunningAfterMs ?? 'no'} ms`)
  if (scenario.stepsGoOn) lines.push('steps that are told to stop go on')
  if (!scenario.excludes) lines.push('calls at the provider do not exclude each other')
  if (scenario.alwaysReplays) lines.push('every task is replayed')
  if (scenario.rolesApart) lines.push('the front door is a process of its own')
  if (scenario.nameTaken) lines.push('the name of the branch is taken')
  for (const [dial, value] of Object.entries(scenario.dials)) {
    if (value !== PLAIN[dial as keyof VercelDials]) lines.push(`Vercel: ${dial} = ${value}`)
  }
  for (const { event, action, delayMs, againAfterMs } of scenario.deliveries)
    lines.push(
      `${event} of action ${action} comes ${delayMs} ms late${againAfterMs === null ? '' : `, and again ${againAfterMs} ms later`}`,
    )
  for (const { step, action, fault, after, times } of scenario.faults)
    lines.push(
      `${step} of action ${action} is ${fault}, ${times} time(s)${after ? ` after ${after}` : ''}`,
    )
  for (const { what, action, moment } of scenario.happenings)
    lines.push(
      `${what} (action ${action}), ${
        'atMs' in moment
          ? `${moment.atMs} ms after the deployment`
          : `${moment.delayMs} ms after ${moment.when === 'before' ? 'asking for' : 'the effect of'} ${moment.on} number ${moment.time + 1}`
      }`,
    )
  return lines
}
