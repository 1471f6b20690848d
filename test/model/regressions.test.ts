import { beforeAll, describe, expect, inject, test } from 'vitest'
import { activityNames, play } from './play.ts'
import { type Moment, type Scenario, uneventful } from './scenario.ts'
import type { Step } from './script.ts'
import { loadWorkflowCode, type WorkflowCode } from './workflow-code.ts'

// The shortest sequences that tell a right program from one with a certain mistake; most were found by breaking the
// program and letting the model shrink what it found.

let code: WorkflowCode

beforeAll(async () => {
  code = await loadWorkflowCode(inject('workflowBundle'), activityNames)
})

const asked = (on: Step, delayMs = 0): Moment => ({ on, when: 'before', time: 0, delayMs })
const done = (on: Step, delayMs = 0): Moment => ({ on, when: 'after', time: 0, delayMs })
const fault = (
  step: Step,
  fault: Scenario['faults'][number]['fault'],
  times = 1,
): Scenario['faults'][number] => ({ action: 0, step, fault, after: 0, times })
const happens = (
  what: Scenario['happenings'][number]['what'],
  moment: Moment,
): Scenario['happenings'][number] => ({ what, action: 0, moment })

const shared = {
  deployments: [1, 1],
  sharing: { onPush: 'reuse', keepForMs: 3_600_000 },
} satisfies Partial<Scenario>

const sequences: Record<string, Partial<Scenario>> = {
  'nothing happens': {},
  'a start is delivered again after its run is over': {
    deliveries: [{ event: 'start', action: 0, delayMs: 0, againAfterMs: 5000 }],
  },
  'a cancel overtakes its start': {
    deliveries: [{ event: 'start', action: 0, delayMs: 20_000, againAfterMs: null }],
    happenings: [happens('a user cancels the deployment', { atMs: 100 })],
  },
  'the branch is made, and its answer never comes': {
    deadlineMs: 5000,
    faults: [fault('create branch', 'silent, after its effect')],
  },
  'Vercel took the outcome, its answer was lost, and it refuses the next': {
    dials: { ...uneventful.dials, afterTerminal: 404, shows: 'anonymous' },
    faults: [fault('report succeeded', 'cut off after its effect')],
  },
  'Vercel took the outcome, its answer was lost, and it then denies the deployment for a moment': {
    faults: [
      fault('report succeeded', 'cut off after its effect'),
      fault('judge refusal', 'refused as 404'),
    ],
  },
  'Vercel took the outcome and answered with a broken gateway': {
    dials: { ...uneventful.dials, afterTerminal: 202 },
    faults: [fault('report succeeded', 'broken after its effect', 40)],
  },
  'the worker stands still while it reports, past the deadline': {
    deadlineMs: 5000,
    happenings: [happens('the worker stands still for 9 seconds', asked('report succeeded'))],
  },
  'the worker dies while it reports': {
    dials: { ...uneventful.dials, afterTerminal: 400 },
    happenings: [happens('the worker dies', asked('report succeeded'))],
  },
  'the worker dies after its report, which Vercel then refuses while it waits for another action': {
    deployments: [2],
    dials: { ...uneventful.dials, afterTerminal: 400 },
    faults: [{ ...fault('create branch', 'slow to take effect'), action: 1 }],
    happenings: [happens('the worker dies', done('report succeeded'))],
  },
  'a worker that stood still goes on when its action is undone': {
    deadlineMs: 5000,
    stepsGoOn: true,
    happenings: [happens('the worker stands still for 3 minutes', asked('enter provider'))],
  },
  'a cancel comes while a step that does not stop makes the branch': {
    stepsGoOn: true,
    happenings: [happens('a user cancels the deployment', asked('create branch'))],
  },
  'a cancel comes while a step that does not stop makes the branch, and nothing excludes the undo':
    {
      stepsGoOn: true,
      excludes: false,
      happenings: [happens('a user cancels the deployment', asked('create branch'))],
    },
  'a cancel comes while the provider is busy, over and over': {
    faults: [fault('create branch', 'too busy', 3)],
    happenings: [happens('a user cancels the deployment', asked('create branch'))],
  },
  'a cancel comes with the task that ends the run': {
    happenings: [happens('a user cancels the deployment', done('report succeeded'))],
  },
  'an operator cancels the run in the middle of its undo': {
    happenings: [
      happens('a user cancels the deployment', done('create branch')),
      happens('an operator cancels the run', asked('delete branch')),
    ],
  },
  'running is slow to reach Vercel': { faults: [fault('report running', 'a second late')] },
  'Vercel waits no longer, tells nobody, and refuses the outcome with 410': {
    dials: { ...uneventful.dials, afterEnd: 410, cancelsActionsOfEnded: false },
    happenings: [happens('Vercel waits no longer', asked('create branch'))],
  },
  'the provider breaks with a password in its text': {
    faults: [fault('delete branch', 'broken after its effect')],
    happenings: [happens('a user cancels the deployment', asked('create branch'))],
  },
  'a step hangs past the deadline': {
    faults: [fault('create branch', 'silent, after its effect')],
  },
  'every task is replayed, in the middle of a cancel': {
    alwaysReplays: true,
    happenings: [happens('a user cancels the deployment', asked('create branch'))],
  },
  'the worker dies in the middle of the undo': {
    happenings: [
      happens('a user cancels the deployment', done('create branch')),
      happens('the worker dies', done('delete branch')),
    ],
  },
  'the worker dies while the run asks for its own cancellation': {
    happenings: [
      happens('a user cancels the deployment', done('create branch')),
      happens('the worker dies', done('request cancellation')),
    ],
  },
  'a cleanup comes when nobody remembers the action': {
    happenings: [happens('the deployment is removed', { atMs: 400_000_000 })],
  },
  'two deployments share a branch': { ...shared },
  'two deployments share a branch, and the first is removed when nobody remembers it': {
    ...shared,
    happenings: [happens('the deployment is removed', { atMs: 400_000_000 })],
  },
  'a push resets the branch, and the older deployment is provisioned again': {
    ...shared,
    sharing: { onPush: 'reset', keepForMs: 0 },
    steps: ['migrate'],
    apartMs: 30,
    happenings: [happens('the worker dies', done('create branch'))],
  },
  'a worker that stood still claims the branch when its action is undone': {
    ...shared,
    deadlineMs: 5000,
    stepsGoOn: true,
    happenings: [happens('the worker stands still for 3 minutes', asked('enter provider'))],
  },
  'a claim reaches the branch after its worker died, and the action is canceled meanwhile': {
    ...shared,
    faults: [fault('claim branch', 'slow to take effect')],
    happenings: [
      happens('the worker dies', asked('claim branch')),
      happens('a user cancels the deployment', asked('claim branch', 700)),
    ],
  },
  'the provider cuts all connections in a migration': {
    ...shared,
    steps: ['migrate'],
    happenings: [happens('the provider cuts all connections', asked('migrate'))],
  },
  'a migration is slow while another deployment wants to migrate': {
    ...shared,
    steps: ['migrate', 'ready'],
    apartMs: 30,
    faults: [fault('migrate', 'slow to take effect')],
  },
  'the worker dies in a migration': {
    ...shared,
    steps: ['migrate'],
    happenings: [happens('the worker dies', asked('migrate'))],
  },
  'a migration is refused': {
    steps: ['migrate', 'ready'],
    faults: [fault('migrate', 'refused as 400')],
  },
  'the branch does not get ready': {
    deadlineMs: 5000,
    steps: ['ready'],
    faults: [fault('ready', 'broken before its effect', 40)],
  },
  'the branch gets ready at the third question': {
    steps: ['ready'],
    faults: [fault('ready', 'unreachable', 2)],
  },
  'the name of the branch belongs to somebody else': { nameTaken: true },
}

describe.each([
  { where: 'in one process', rolesApart: false },
  { where: 'with the front door apart', rolesApart: true },
])('$where', ({ rolesApart }) => {
  test.each(Object.entries(sequences))('%s', async (_, sequence) => {
    const story: string[] = []
    const scenario = { ...uneventful, ...sequence, rolesApart }
    const broken = await play(scenario, code, (line) => story.push(line))
    expect(broken, story.join('\n')).toEqual([])
  })
})
