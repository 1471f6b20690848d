import assert from 'node:assert/strict'
import { failsForGood, forEachOf } from './assertions.ts'
import { promises } from './contract-case.ts'
import { driverCall } from './driver-call.ts'
import { LINES } from './scene.ts'

/** Ids are other people's texts: whatever they hold, they name what they name and nothing else. */
export const hostileIdCases = promises([], {
  'a resource of a hostile name is refused for good, and nothing is touched': async (scene) => {
    const bystander = scene.newRef()
    await scene.create(bystander)
    await forEachOf(HOSTILE_TEXTS, async (source) => {
      const ref = scene.newRef({ resourceId: source })
      await failsForGood(scene.create(ref, source))
      assert.deepEqual(await scene.subject.remains(ref.name), [])
    })
    assert.deepEqual(await scene.lines(bystander), LINES)
    const later = scene.newRef()
    await scene.create(later)
    assert.deepEqual(await scene.lines(later), LINES)
  },

  'a name that almost names a resource is never cut off, cleaned or completed to it': async (
    scene,
  ) => {
    await forEachOf(almost(scene.source), async (source) => {
      const ref = scene.newRef({ resourceId: source })
      await failsForGood(scene.create(ref, source), 'source_missing')
      assert.deepEqual(await scene.subject.remains(ref.name), [])
    })
  },

  'the owner of a branch may hold any text in each of its parts': async (scene) => {
    await forEachOf(QUARTETS, async ([installationId, anyResource, deploymentId, action]) => {
      const resourceId = scene.subject.branchesLiveInside ? scene.source : anyResource
      const ref = scene.newRef({ installationId, resourceId, deploymentId, action })
      await scene.create(ref)
      assert.deepEqual((await scene.record(ref))?.ref, ref)
      assert.deepEqual(await scene.lines(ref), LINES)
      await scene.driver.deleteBranch(ref, driverCall())
      assert.deepEqual(await scene.subject.remains(ref.name), [])
    })
  },

  'a part of the owner that differs in one byte is another owner': async (scene) => {
    const ref = scene.newRef({ action: 'é' })
    await scene.create(ref)
    for (const action of ['e\u0301', 'É', 'é ', 'é\0', 'e', '']) {
      const stranger = { name: ref.name, owner: { ...ref.owner, action } }
      const deletion = scene.driver.deleteBranch(stranger, driverCall())
      await failsForGood(deletion, 'branch_owner_mismatch')
    }
    assert.deepEqual(await scene.lines(ref), LINES)
  },
})

export const hostileSharingCases = promises(['sharing'], {
  'a shared branch may have any text in each part of its owner and in its claims': async (
    scene,
  ) => {
    await forEachOf(QUARTETS, async ([projectId, gitBranch, action, resourceId]) => {
      const ref = scene.newSharedRef({ resourceId, projectId, gitBranch, action })
      const deployments = [gitBranch, action, `${gitBranch} `]
      for (const deploymentId of deployments) await scene.claim(ref, deploymentId)
      assert.deepEqual((await scene.record(ref))?.ref, ref)
      assert.deepEqual(await scene.claims(ref), [...new Set(deployments)].sort())
      assert.deepEqual(await scene.lines(ref), LINES)
      for (const deploymentId of deployments) await scene.release(ref, deploymentId)
      assert.equal(await scene.deleteUnclaimed(ref, 0), true)
      assert.deepEqual(await scene.subject.remains(ref.name), [])
    })
  },
})

const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  "'",
  '"',
  `'; DROP DATABASE postgres; --`,
  `"; DROP ROLE postgres; --`,
  '$$; SELECT 1; $$',
  String.raw`\'; SELECT 1; --`,
  'back\\slash\\',
  'nul\0nul',
  'line\nline\r\n',
  'tab\t\u0007\u001B[31m',
  'x'.repeat(63),
  'x'.repeat(64),
  'é'.repeat(32) + 'x',
  'e\u0301 combined',
  '🦊🏳️‍🌈',
  'ﷺ \u202E right to left',
  '\uFEFFbom',
  'half \uD800 a pair',
  'postgres',
  'template0',
  'template1',
  'information_schema',
  '../x',
  'a/b',
  '..',
  '%2e%2e%2f',
  '%s %d %n',
  '${x} #{x} {{x}}',
  'postgres://elsewhere/db',
  'host=elsewhere dbname=postgres',
  '__proto__',
  'null',
  'x'.repeat(10_000),
]

/** Each text in one of four places, and all of them together in each. */
const QUARTETS = Array.from({ length: Math.ceil(HOSTILE_TEXTS.length / 4) }, (_none, index) => {
  const text = (place: number) => HOSTILE_TEXTS[4 * index + place] ?? HOSTILE_TEXTS.join('')
  return [text(0), text(1), text(2), text(3)] as const
})

function almost(name: string): string[] {
  const first = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`
  return [
    `${name}\0`,
    `${name}\0x`,
    ` ${name}`,
    `${name} `,
    `${name}\n`,
    `./${name}`,
    `${name}/`,
    `${name}/../${name}`,
    `${name}?x=1`,
    `${name}#x`,
    `${name};`,
    `"${name}"`,
    `${name}\uD800`,
    `${name}\u200B`,
    first,
    name.toUpperCase(),
    name.slice(0, -1),
    `${name}%`,
    `dbname=${name}`,
  ]
}
