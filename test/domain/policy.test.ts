import { describe, expect, test } from 'vitest'
import type { Deployment, DeploymentOrigin } from '../../src/domain/deployment.ts'
import { judgeAdmission, type Policy, PROTECTED_BRANCHES } from '../../src/domain/policy.ts'

const openToAll: Policy = {
  otherwise: 'skip',
  bots: 'allow',
  forks: 'allow',
  protectedBranches: PROTECTED_BRANCHES,
}
const origin: DeploymentOrigin = {
  makers: ['ada', 'Ada'],
  repository: 'acme/shop',
  commitRepository: 'acme/shop',
}
const preview: Deployment = {
  id: 'dpl_1',
  environment: 'preview',
  gitBranch: 'feature/x',
  origin,
  standing: 'waiting',
}
const { gitBranch: _git, ...withoutGit } = preview
const { origin: _origin, ...unknownOrigin } = preview
const from = (fields: Partial<DeploymentOrigin>): Deployment => ({
  ...preview,
  origin: { ...origin, ...fields },
})

function judged(policy: Partial<Policy>, deployment: Deployment, sharesGitBranches = false) {
  return judgeAdmission({ ...openToAll, ...policy }, { deployment, sharesGitBranches })
}
const verdictOf = (...args: Parameters<typeof judged>) => judged(...args)?.verdict ?? 'admit'

test('a policy without rules admits everything', () => {
  for (const deployment of [
    preview,
    withoutGit,
    unknownOrigin,
    { ...preview, environment: 'production', gitBranch: 'main' },
    from({ makers: ['dependabot[bot]'], commitRepository: 'eve/shop', pullRequest: '7' }),
  ])
    expect(verdictOf({}, deployment)).toBe('admit')
})

describe('environments that are named are worked for, others are not', () => {
  test.each([
    [['preview'], 'preview', 'admit'],
    [['preview', 'qa'], 'qa', 'admit'],
    [['preview'], 'production', 'skip'],
    [['production'], 'preview', 'skip'],
  ])('%j, for %s: %s', (environments, environment, verdict) => {
    expect(verdictOf({ environments }, { ...preview, environment })).toBe(verdict)
  })
})

describe('git branches', () => {
  test.each([
    [{ only: ['feature/**'] }, 'feature/x/y', 'admit'],
    [{ only: ['feature/**'] }, 'fix/x', 'skip'],
    [{ except: ['wip/*'] }, 'feature/x', 'admit'],
    [{ except: ['wip/*'] }, 'wip/x', 'skip'],
    [{ only: ['feature/*'], except: ['**-wip'] }, 'feature/x', 'admit'],
    [{ only: ['feature/*'], except: ['**-wip'] }, 'feature/x-wip', 'skip'],
  ])('%j, for %s: %s', (gitBranches, gitBranch, verdict) => {
    expect(verdictOf({ gitBranches }, { ...preview, gitBranch })).toBe(verdict)
  })

  test('a deployment without git is in none of those that are named', () => {
    expect(verdictOf({ gitBranches: { only: ['**'] } }, withoutGit)).toBe('skip')
    expect(verdictOf({ gitBranches: { except: ['**'] } }, withoutGit)).toBe('admit')
  })
})

describe('bots are known by their names', () => {
  test.each([
    ['dependabot[bot]', 'skip'],
    ['some-app[bot]', 'skip'],
    ['Dependabot', 'skip'],
    ['dependabot-preview', 'skip'],
    ['renovate', 'skip'],
    ['renovate-bot', 'skip'],
    ['RenovateBot', 'skip'],
    ['ada', 'admit'],
    ['abbot', 'admit'],
    ['renovated-ada', 'admit'],
    ['[bot] of ada', 'admit'],
  ])('%s: %s', (name, verdict) => {
    expect(verdictOf({ bots: 'skip' }, from({ makers: ['ada', name] }))).toBe(verdict)
  })

  test('and whoever is not known is none', () => {
    expect(verdictOf({ bots: 'fail' }, unknownOrigin)).toBe('admit')
  })
})

describe('a commit from another repository', () => {
  const { repository: _one, commitRepository: _other, ...neither } = origin
  test.each([
    ['is told by the two repositories', { commitRepository: 'eve/shop' }, 'fail'],
    ['is told without a pull request too', { commitRepository: 'acme/shop-2' }, 'fail'],
    ['is not told by their spelling', { commitRepository: 'Acme/Shop' }, 'admit'],
    ['is not told by a pull request of the same one', { pullRequest: '7' }, 'admit'],
  ])('%s', (_, fields, verdict) => {
    expect(verdictOf({ forks: 'fail' }, from(fields))).toBe(verdict)
  })

  test.each([
    ['the project’s', { commitRepository: 'acme/shop' }],
    ['the commit’s', { repository: 'acme/shop' }],
    ['neither', {}],
  ])('is supposed of a pull request of which Vercel tells only %s', (_, known) => {
    const deployment = { ...preview, origin: { ...neither, ...known, pullRequest: '7' } }
    expect(judged({ forks: 'fail' }, deployment)).toEqual({
      verdict: 'fail',
      because: expect.stringMatching(/does not tell whether the pull request "7" is from another/),
    })
    const push = { ...preview, origin: { ...neither, ...known } }
    expect(verdictOf({ forks: 'fail' }, push)).toBe('admit')
  })

  test('is supposed where Vercel tells nothing of where it comes from, and not of a deployment without git', () => {
    expect(verdictOf({ forks: 'skip' }, unknownOrigin)).toBe('skip')
    expect(verdictOf({ forks: 'skip' }, { ...withoutGit, origin: { makers: ['ada'] } })).toBe(
      'admit',
    )
  })
})

describe('a protected git branch', () => {
  const of = (gitBranch: string) => ({ ...preview, gitBranch })
  test.each(['main', 'master', 'production', 'prod', 'refs/heads/main'])(
    'gets nothing that its deployments share: %s',
    (gitBranch) => {
      expect(verdictOf({}, of(gitBranch), true)).toBe('skip')
      expect(verdictOf({ environments: ['preview'] }, of(gitBranch), true)).toBe('skip')
      // What each deployment has for itself goes with it.
      expect(verdictOf({}, of(gitBranch), false)).toBe('admit')
    },
  )

  test('gets it where production is named', () => {
    expect(verdictOf({ environments: ['preview', 'production'] }, of('main'), true)).toBe('admit')
  })

  test('is what the operator says', () => {
    const protectedBranches = ['release/*']
    expect(verdictOf({ protectedBranches }, of('release/1'), true)).toBe('skip')
    expect(verdictOf({ protectedBranches }, of('main'), true)).toBe('admit')
    expect(verdictOf({}, withoutGit, true)).toBe('admit')
  })
})

test('a rule that fails comes before one that skips, whatever their order', () => {
  const eve = from({ commitRepository: 'eve/shop', makers: ['x[bot]'] })
  const production = { ...eve, environment: 'production' }
  expect(verdictOf({ environments: ['preview'], forks: 'fail' }, production)).toBe('fail')
  expect(verdictOf({ forks: 'skip', bots: 'fail' }, production)).toBe('fail')
  expect(
    verdictOf({ forks: 'skip', environments: ['preview'], otherwise: 'fail' }, production),
  ).toBe('fail')
})

describe('the developer reads why, what becomes of the build, and what to do', () => {
  const main = { ...preview, gitBranch: 'main' }
  test.each<[string, Partial<Policy>, Deployment, RegExp]>([
    ['environment', { environments: ['qa'] }, preview, /^The action works for qa only.*"preview"/],
    ['git branch', { gitBranches: { only: ['a'] } }, preview, /git branch "feature\/x"/],
    ['no git branch', { gitBranches: { only: ['a'] } }, withoutGit, /the deployment has none/],
    ['bot', { bots: 'skip' }, from({ makers: ['x[bot]'] }), /^"x\[bot\]" looks like a bot/],
    ['fork', { forks: 'skip' }, from({ commitRepository: 'eve/shop' }), /\("eve\/shop"\)/],
    ['unknown', { forks: 'skip' }, unknownOrigin, /^Vercel does not tell whether the commit/],
    ['protected', {}, main, /^The git branch "main" is protected/],
  ])('%s', (_, policy, deployment, why) => {
    const fails = {
      ...policy,
      otherwise: 'fail' as const,
      ...(policy.bots && { bots: 'fail' as const }),
      ...(policy.forks && { forks: 'fail' as const }),
    }
    const skipped = judged(policy, deployment, true)?.because
    expect(skipped).toMatch(why)
    expect(skipped).toMatch(/nothing was made and the build goes on with the resource's own/)
    const failed = judged(fails, deployment, true)?.because
    expect(failed).toMatch(why)
    expect(failed).toMatch(/nothing was made and the action fails: .*(deploy|switch|push) .*\.$/)
    expect(failed?.length).toBeLessThanOrEqual(256)
  })

  test('and of a name that anybody chose, no more than it takes', () => {
    const gitBranch = `wip/"\n${'x'.repeat(300)}`
    const because = judged({ gitBranches: { only: ['a'] } }, { ...preview, gitBranch })?.because
    expect(because).toContain(String.raw`"wip/\"\nxxx`)
    expect(because).not.toContain('x'.repeat(60))
  })
})
