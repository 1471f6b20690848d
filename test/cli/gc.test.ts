import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { branchRef } from '../../src/domain/branch-ref.ts'
import {
  eventually,
  type HoldpointUnderTest,
  startHoldpoint,
} from '../end-to-end/holdpoint-under-test.ts'
import { devServerEnvironment } from '../servers/temporal-environment.ts'
import { type CommandEnd, commandLine } from './run-command.ts'

let holdpoint: HoldpointUnderTest
let line: Awaited<ReturnType<typeof commandLine>>
let [living, removed, alsoRemoved]: { id: string }[] = []

beforeAll(async () => {
  line = await commandLine(`export default { actions: { branch: { name: 'Branch' } } }`)
  holdpoint = await startHoldpoint()
  ;[living, removed, alsoRemoved] = await Promise.all([1, 2, 3].map(() => holdpoint.release()))
  for (const deployment of [living, removed, alsoRemoved])
    await holdpoint.ended(deployment ?? { id: '' })
  holdpoint.vercel.dials.dropWebhooks = ['deployment.integration.action.cleanup']
  for (const { id } of [removed, alsoRemoved].map((each) => each ?? { id: '' }))
    holdpoint.vercel.remove(id)
})
afterAll(async () => {
  await line.remove()
  await holdpoint.close()
})

const gc = (...args: string[]): Promise<CommandEnd> =>
  line.run(['gc', ...args], holdpoint.variables)
const nameOf = (deployment: { id: string } | undefined) =>
  branchRef(holdpoint.keyOf(deployment ?? { id: '' })).name
const AT_ONCE = ['--min-age', '0', '--grace', '0']

test('by itself it tells what would be done, with its reason, and changes nothing', async () => {
  const careful = await gc()
  expect(careful).toMatchObject({ code: 0, stderr: '' })
  expect(careful.stdout).toContain('A dry run: nothing was changed. To do: destroy 0')
  const { code, stdout } = await gc(...AT_ONCE)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ACTION +NAME +OWNER +AGE +VERDICT +BECAUSE\n/)
  for (const deployment of [removed, alsoRemoved])
    expect(stdout).toMatch(
      new RegExp(
        `\nbranch +${nameOf(deployment)} +${deployment?.id} of ${holdpoint.source.name} +.* +destroy +The deployment is unknown to Vercel`,
      ),
    )
  expect(stdout).not.toContain(nameOf(living))
  expect(stdout).toMatch(/1 are needed, \d+ are of other Holdpoints/)
  expect(stdout).toContain('To do: destroy 2, expire 0, resume 0. With --apply it is done.')
  expect(await holdpoint.left(removed ?? { id: '' })).toEqual(['database', 'role'])
})

test('with --apply it does so, no more than the cap at once, and never to what lives', async () => {
  const first = await gc(...AT_ONCE, '--apply', '--cap', '1', '--json')
  expect(first.code).toBe(0)
  expect(JSON.parse(first.stdout)).toMatchObject({
    applied: true,
    left: 1,
    policy: { minAgeMs: 0, graceMs: 0, cap: 1 },
    acts: [{ verdict: 'destroy', result: { kind: 'done' } }],
  })
  const second = await gc(...AT_ONCE, '--apply', '--cap', '1000')
  expect(second.stdout).toContain('1 acts were done, and 0 are left for the next time')
  for (const deployment of [removed, alsoRemoved])
    await eventually(async () => expect(await holdpoint.left(deployment ?? { id: '' })).toEqual([]))
  expect(await holdpoint.left(living ?? { id: '' })).toEqual(['database', 'role'])
})

describe('what keeps it from looking is told with what to do', () => {
  test.each([
    [['--min-age', 'soon'], /--min-age "soon" is no duration.*Write one such as/],
    [['--grace', '-1 day'], /--grace "-1 day" is no duration/],
    [['--cap', '0'], /--cap "0" cannot be used.*from 1 to 1000/],
    [['--cap', 'all'], /--cap "all" cannot be used/],
  ])('%j', async (args, told) => {
    const { code, stdout, stderr } = await gc(...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(told)
  })

  test('no worker', async () => {
    const empty = await devServerEnvironment()
    const { code, stderr } = await line.run(['gc'], {
      ...holdpoint.variables,
      TEMPORAL_NAMESPACE: empty.namespace,
    })
    await empty.teardown()
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /No worker can look.*so nothing was looked at.*start one: holdpoint worker/,
    )
  })
})
