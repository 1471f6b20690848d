import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Evidence,
  type Facts,
  type FoundObject,
  judge,
  type LatestRun,
} from '../../src/domain/reconciliation.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = 1_800_000_000_000
const owner = {
  installationId: 'icfg_A',
  resourceId: 'db',
  deploymentId: 'dpl_1',
  action: 'branch',
}
const object: FoundObject = {
  name: 'hp_1',
  owner,
  sinceMs: NOW - 40 * DAY,
  complete: true,
  holdpoint: 'ours',
}
const policy = { minAgeMs: HOUR, graceMs: 31 * DAY }

/** An answer of Vercel with this standing. */
function shown(deployment: Extract<Evidence, { kind: 'answered' }>['deployment']): Evidence {
  return { kind: 'answered', deployment, installationSeen: true }
}
const waiting = shown({ standing: 'waiting' })
const passed = shown({ standing: 'passed' })
const unknown = shown({ standing: 'gone' })

function judged(facts: Partial<Facts>) {
  return judge({ object, holdpoint: 'ours', nowMs: NOW, policy, run: 'none', ...facts })
}
function verdictOf(facts: Partial<Facts>) {
  const judgement = judged(facts)
  return typeof judgement === 'object' ? judgement.verdict : judgement
}

describe('what another Holdpoint made is left to it, whatever became of it', () => {
  test.each([
    ['another one', { ...object, holdpoint: 'theirs' }],
    ['nobody knows which', { name: 'hp_1', owner, sinceMs: 0, complete: true }],
    [
      'another one, unclaimed',
      { name: 'hp_1', sinceMs: 0, expiresAtMs: 0, complete: false, holdpoint: 'theirs' },
    ],
  ] as const)('%s', (_, foreign) => {
    expect(verdictOf({ object: foreign, run: 'withdrawn', evidence: unknown })).toBe('foreign')
  })
})

test('Temporal is asked before Vercel, and neither when nothing depends on it', () => {
  const { run: _run, ...unasked } = { object, holdpoint: 'ours', nowMs: NOW, policy, run: 'none' }
  expect(judge(unasked)).toBe('ask-temporal')
  expect(verdictOf({ run: 'none' })).toBe('ask-vercel')
  expect(verdictOf({ run: 'open' })).toBe('keep')
  expect(verdictOf({ run: 'withdrawn' })).toBe('destroy')
  expect(verdictOf({ object: { ...object, sinceMs: NOW } })).toBe('keep')
})

describe('a deployment that Vercel shows keeps what was made for it', () => {
  test.each([
    ['waiting', 'open', 'keep'],
    ['waiting', 'kept', 'keep'],
    ['waiting', 'none', 'resume'],
    ['waiting', 'broken', 'resume'],
    ['waiting', 'failed', 'destroy'],
    ['waiting', 'withdrawn', 'destroy'],
    ['passed', 'none', 'keep'],
    ['passed', 'broken', 'keep'],
    ['passed', 'failed', 'keep'],
    ['passed', 'kept', 'keep'],
    ['passed', 'withdrawn', 'destroy'],
    // Another integration's action may be what failed or timed out.
    ['lapsed', 'none', 'keep'],
    ['lapsed', 'failed', 'keep'],
    ['failed', 'none', 'keep'],
    ['failed', 'broken', 'keep'],
  ] as const)('%s, its run %s: %s', (standing, run, verdict) => {
    expect(verdictOf({ run, evidence: shown({ standing }) })).toBe(verdict)
  })
})

describe('a time to live takes back what was made for a living deployment', () => {
  const lifetime = { ttlMs: 7 * DAY, protectedBranches: ['main', 'release/*'] }
  const preview = { environment: 'preview', gitBranch: 'feature/x' }
  const living = (place?: { environment: string; gitBranch?: string }) =>
    ({ ...passed, ...(place && { place }) }) as Evidence
  const aged = (ageMs: number, fields: Partial<FoundObject> = {}) => ({
    ...object,
    ...fields,
    sinceMs: NOW - ageMs,
  })

  test.each([
    ['when it is over', aged(7 * DAY), preview, 'destroy'],
    ['not before', aged(7 * DAY - 1), preview, 'keep'],
    ['without git too', aged(8 * DAY), { environment: 'preview' }, 'destroy'],
    ['not of production', aged(8 * DAY), { ...preview, environment: 'production' }, 'keep'],
    ['of a custom environment', aged(8 * DAY), { ...preview, environment: 'qa' }, 'destroy'],
    ['not of a protected git branch', aged(8 * DAY), { ...preview, gitBranch: 'main' }, 'keep'],
    [
      'not of one that only the branch names',
      aged(8 * DAY, { gitBranch: 'release/1' }),
      preview,
      'keep',
    ],
    [
      'of a git branch that the branch names',
      aged(8 * DAY, { gitBranch: 'feature/x' }),
      preview,
      'destroy',
    ],
    ['nor of one that Vercel does not tell', aged(8 * DAY), undefined, 'undecided'],
  ])('%s', (_, found, place, verdict) => {
    for (const run of ['none', 'kept', 'failed', 'broken'] as const)
      expect(verdictOf({ object: found, run, evidence: living(place), lifetime })).toBe(verdict)
  })

  test('but never while its run is at work, its build is held, or the policy has none', () => {
    const over = { object: aged(90 * DAY), evidence: living(preview), lifetime }
    expect(verdictOf({ ...over, run: 'open' })).toBe('keep')
    const held = { ...waiting, place: preview } as Evidence
    expect(verdictOf({ ...over, evidence: held, run: 'kept' })).toBe('keep')
    expect(verdictOf({ ...over, evidence: held, run: 'none' })).toBe('resume')
    expect(verdictOf({ ...over, lifetime: undefined })).toBe('keep')
  })

  test('and never what is younger than everything has to be', () => {
    const found = { object: aged(HOUR - 1), evidence: living(preview) }
    const short = { ttlMs: 1, protectedBranches: [] }
    expect(verdictOf({ ...found, lifetime: short })).toBe('keep')
    expect(verdictOf({ ...found, lifetime: short, run: 'broken' })).toBe('keep')
  })

  test('and says so', () => {
    expect(judged({ object: aged(8 * DAY), evidence: living(preview), lifetime })).toEqual({
      verdict: 'destroy',
      because: 'Its time to live of 7 days is over.',
    })
  })
})

describe('a canceled deployment, which never serves, gets the day in which Vercel redelivers', () => {
  const canceled = (canceledAtMs?: number) =>
    shown({ standing: 'canceled', ...(canceledAtMs && { canceledAtMs }) })
  test.each([
    [canceled(NOW - 23 * HOUR), undefined, 'wait'],
    [canceled(NOW - DAY), undefined, 'destroy'],
    [canceled(), undefined, 'wait'],
    [canceled(), NOW - 23 * HOUR, 'wait'],
    [canceled(), NOW - DAY, 'destroy'],
  ] as const)('%#: %s', (evidence, overSinceMs, verdict) => {
    expect(verdictOf({ evidence, overSinceMs })).toBe(verdict)
  })

  test('and less where the grace is shorter', () => {
    const short = { ...policy, graceMs: HOUR }
    expect(verdictOf({ evidence: canceled(NOW - HOUR), policy: short })).toBe('destroy')
  })
})

describe('a deployment that is gone', () => {
  test.each([
    [NOW - 31 * DAY + 1, 'wait'],
    [NOW - 31 * DAY, 'destroy'],
  ] as const)('and was deleted at %s: %s', (deletedAtMs, verdict) => {
    const evidence = shown({ standing: 'gone', deletedAtMs })
    expect(verdictOf({ evidence, overSinceMs: 1 })).toBe(verdict)
    expect(judged({ evidence })).not.toHaveProperty('overSinceMs')
  })

  test('nobody knows since when: its grace begins when it is first seen, and that is remembered', () => {
    expect(judged({ evidence: unknown })).toEqual({
      verdict: 'wait',
      because: 'The deployment is unknown to Vercel; its grace of 31 days is over in 31 days.',
      overSinceMs: NOW,
    })
    const seen = NOW - 31 * DAY
    expect(judged({ evidence: unknown, overSinceMs: seen + 1 })).toMatchObject({
      verdict: 'wait',
      overSinceMs: seen + 1,
    })
    expect(judged({ evidence: unknown, overSinceMs: seen })).toMatchObject({
      verdict: 'destroy',
      overSinceMs: seen,
    })
  })

  test('may be one that a wrong token does not show: nothing is decided, and the first sight remembered', () => {
    const evidence = { ...unknown, installationSeen: false } as Evidence
    expect(judged({ evidence, overSinceMs: 1 })).toMatchObject({
      verdict: 'undecided',
      overSinceMs: 1,
    })
    expect(judged({ evidence })).not.toHaveProperty('overSinceMs')
  })

  test('is forgotten as such when it is shown again', () => {
    expect(judged({ evidence: passed, overSinceMs: 1 })).not.toHaveProperty('overSinceMs')
  })
})

test('nothing is decided while Vercel does not answer', () => {
  const evidence = { kind: 'unanswered', because: 'Vercel does not tell (403).' } as const
  expect(judged({ evidence, overSinceMs: 5 })).toEqual({
    verdict: 'undecided',
    because: 'Vercel does not tell (403).',
    overSinceMs: 5,
  })
})

describe('what is too young, or of unknown age, is not taken away', () => {
  const deleted = shown({ standing: 'gone', deletedAtMs: 1 })
  const { sinceMs: _age, ...ageless } = object
  test.each([
    ['a minute short', { ...object, sinceMs: NOW - HOUR + 1 }],
    ['from the future', { ...object, sinceMs: NOW + DAY }],
    ['of unknown age', ageless],
  ])('%s', (_, young) => {
    for (const run of ['none', 'broken', 'withdrawn', 'failed', 'kept'] as const)
      expect(verdictOf({ object: young, run, evidence: deleted })).toBe('keep')
    expect(
      verdictOf({ object: { ...young, sinceMs: NOW }, policy: { minAgeMs: 1, graceMs: 0 } }),
    ).toBe('keep')
  })

  test('but a held build whose run was broken off is resumed at any age, as nobody else works for it', () => {
    const young = { ...object, sinceMs: NOW }
    expect(verdictOf({ object: young, run: 'broken', evidence: waiting })).toBe('resume')
    // A run that Temporal does not know may be at work in another namespace.
    expect(verdictOf({ object: young, run: 'none', evidence: waiting })).toBe('keep')
  })
})

describe('what no deployment needs any more', () => {
  const unclaimed: FoundObject = {
    name: 'hp_1',
    sinceMs: NOW - DAY,
    complete: true,
    holdpoint: 'ours',
  }
  test.each([
    [NOW, 'expire'],
    [NOW + 1, 'keep'],
    [undefined, 'keep'],
  ] as const)('goes at its time: %s', (expiresAtMs, verdict) => {
    const found = { ...unclaimed, ...(expiresAtMs && { expiresAtMs }) }
    expect(verdictOf({ object: found })).toBe(verdict)
  })

  test('but not while it is young', () => {
    expect(verdictOf({ object: { ...unclaimed, sinceMs: NOW - 1, expiresAtMs: NOW } })).toBe('keep')
  })
})

describe('whatever is set, known and said', () => {
  const moment = fc.oneof(
    fc.integer({ min: NOW - 100 * DAY, max: NOW + DAY }),
    fc.constantFrom(0, NOW, NOW - HOUR, NOW - DAY, NOW - 31 * DAY),
  )
  const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined })
  const duration = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 * DAY }))
  const standing = fc.constantFrom('waiting', 'passed', 'canceled', 'lapsed', 'failed', 'gone')
  const run = fc.constantFrom<LatestRun[]>('none', 'open', 'kept', 'withdrawn', 'failed', 'broken')
  const place = fc.record(
    {
      environment: fc.constantFrom('preview', 'production'),
      gitBranch: fc.constantFrom('main', 'feature/x'),
    },
    { requiredKeys: ['environment'] },
  )
  const answered = fc.record(
    {
      kind: fc.constant('answered' as const),
      installationSeen: fc.boolean(),
      place,
      deployment: fc.record(
        {
          standing,
          deletedAtMs: moment,
          canceledAtMs: moment,
        },
        { requiredKeys: ['standing'] },
      ),
    },
    { requiredKeys: ['kind', 'installationSeen', 'deployment'] },
  )
  const evidence = fc.oneof(
    answered,
    fc.constant({ kind: 'unanswered', because: 'No answer.' } as const),
  ) as fc.Arbitrary<Evidence>
  const facts = fc
    .record({
      object: fc.record(
        {
          name: fc.constant('hp_1'),
          owner: fc.constant(owner),
          sinceMs: moment,
          expiresAtMs: moment,
          complete: fc.boolean(),
          holdpoint: fc.constantFrom('ours', 'theirs'),
        },
        { requiredKeys: ['name', 'complete'] },
      ),
      holdpoint: fc.constant('ours'),
      nowMs: fc.constant(NOW),
      policy: fc.record({ minAgeMs: duration, graceMs: duration }),
      overSinceMs: maybe(moment),
      lifetime: maybe(
        fc.record({ ttlMs: duration, protectedBranches: fc.constant(['main', 'prod']) }),
      ),
      run,
      evidence,
    })
    .map((generated) => generated as Facts & { run: LatestRun; evidence: Evidence })

  const property = (holds: (facts: Facts & { run: LatestRun; evidence: Evidence }) => void) =>
    fc.assert(fc.property(facts, holds), { numRuns: 3000 })

  /** Whether Vercel shows the deployment, neither deleted nor canceled. */
  const isLiving = (of: Evidence) =>
    of.kind === 'answered' &&
    of.deployment.standing !== 'gone' &&
    of.deployment.standing !== 'canceled'

  test('nothing of a living deployment is destroyed, unless its own run failed or was withdrawn, or its time to live is over', () => {
    property((each) => {
      if (!each.object.owner || !isLiving(each.evidence)) return
      if (each.run === 'withdrawn' || (each.run === 'failed' && isWaiting(each.evidence))) return
      if (outlived(each)) return
      expect(['destroy', 'expire']).not.toContain(verdictOf(each))
    })
  })

  test('nothing is destroyed that an open run looks after, or that another Holdpoint made', () => {
    property((each) => {
      const { object: found, run: latest } = each
      if (found.holdpoint === 'ours' && (latest !== 'open' || !found.owner)) return
      expect(['destroy', 'expire', 'resume']).not.toContain(verdictOf(each))
    })
  })

  test('nothing is destroyed before its age and its grace are over', () => {
    property((each) => {
      if (verdictOf(each) !== 'destroy') return
      const { sinceMs = NOW } = each.object
      expect(NOW - sinceMs).toBeGreaterThanOrEqual(each.policy.minAgeMs)
      if (each.run === 'withdrawn' || each.run === 'failed' || outlived(each)) return
      const { deployment } = each.evidence as Extract<Evidence, { kind: 'answered' }>
      const over =
        (standsGone(each.evidence) ? deployment.deletedAtMs : deployment.canceledAtMs) ??
        each.overSinceMs ??
        NOW
      const graceMs = standsGone(each.evidence)
        ? each.policy.graceMs
        : Math.min(each.policy.graceMs, DAY)
      expect(NOW - over).toBeGreaterThanOrEqual(graceMs)
    })
  })

  test('without an answer of Vercel only what it took back itself is destroyed', () => {
    property((each) => {
      const proved =
        each.evidence.kind === 'answered' &&
        (each.evidence.installationSeen ||
          !standsGone(each.evidence) ||
          each.evidence.deployment.deletedAtMs !== undefined)
      if (proved || each.run === 'withdrawn') return
      expect(verdictOf(each)).not.toBe('destroy')
      expect(verdictOf(each)).not.toBe('resume')
    })
  })

  test('every judgement has a sentence', () => {
    property((each) => {
      expect((judged(each) as { because: string }).because).toMatch(/^[A-Z].*\.$/)
    })
  })

  /** Whether a time to live is over that is not one of production or of a protected git branch, for all we know. */
  function outlived({ lifetime, object: found, evidence: of }: Facts & { evidence: Evidence }) {
    if (!lifetime || of.kind !== 'answered' || !of.place || !isLiving(of) || isWaiting(of))
      return false
    const { sinceMs = NOW } = found
    const { environment, gitBranch } = of.place
    return NOW - sinceMs >= lifetime.ttlMs && environment !== 'production' && gitBranch !== 'main'
  }
  function standsGone(of: Evidence): boolean {
    return of.kind === 'answered' && of.deployment.standing === 'gone'
  }
  function isWaiting(of: Evidence): boolean {
    return of.kind === 'answered' && of.deployment.standing === 'waiting'
  }
})
