import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type BranchRef, sharedBranchRef } from '../../src/domain/branch-ref.ts'
import { readMark, writeMark } from '../../src/drivers/postgres/branch-mark.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import { literal } from '../../src/drivers/postgres/sql.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import { startPostgresProxy } from './postgres-proxy.ts'
import {
  dropSource,
  embeddedServerUrl,
  newSource,
  remainsOf,
  sql,
  workOn,
} from './postgres-under-test.ts'

const url = embeddedServerUrl

describe('a shared branch', () => {
  test('keeps its mark whole with 200 claims, and loses it claim by claim', async () => {
    const { driver, sharing, source, ref } = await sharedBranch()
    const deployments = Array.from(
      { length: 200 },
      (_none, index) => `dpl_${index}_${'x'.repeat(40)}`,
    )
    await sharing.claimBranch(
      { source, ref, deploymentId: deployments[0] ?? '', onPush: 'reuse' },
      driverCall(),
    )
    const claimedAt = new Date()
    const mark = await roleMark(ref)
    const claims = deployments.slice(0, 199).map((deploymentId) => ({ deploymentId, claimedAt }))
    await sql(url(), `COMMENT ON ROLE ${ref.name} IS ${literal(writeMark({ ...mark, claims }))}`)
    const last = deployments[199] ?? ''
    await sharing.claimBranch({ source, ref, deploymentId: last, onPush: 'reuse' }, driverCall())
    const listed = async () =>
      (await driver.listBranches(driverCall())).find((branch) => branch.ref.name === ref.name)
    expect((await listed())?.claims?.map((claim) => claim.deploymentId)).toEqual(deployments)
    await driver.openBranch(ref, driverCall())
    for (const deploymentId of deployments.slice(0, 5))
      await sharing.releaseClaim({ ref, deploymentId }, driverCall())
    expect((await listed())?.claims?.map((claim) => claim.deploymentId)).toEqual(
      deployments.slice(5),
    )
    expect(await sharing.deleteUnclaimed({ ref, unclaimedForMs: 0 }, driverCall())).toBe(false)
  })

  test('whose claims cannot be read is nobody’s to delete', async () => {
    const { sharing, source, ref } = await sharedBranch()
    const request = { source, ref, deploymentId: 'dpl_1', onPush: 'reuse' } as const
    await sharing.claimBranch(request, driverCall())
    const mark = writeMark(await roleMark(ref)).replace('"claims":[{', '"claims":[7,{')
    await sql(url(), `COMMENT ON ROLE ${ref.name} IS ${literal(mark)}`)
    const deletion = sharing.deleteUnclaimed({ ref, unclaimedForMs: 0 }, driverCall())
    await expect(deletion).rejects.toMatchObject({ code: 'branch_owner_mismatch' })
  })

  test('keeps its claims, whatever its own user writes on the database', async () => {
    const { driver, sharing, source, ref } = await sharedBranch()
    const request = { source, ref, deploymentId: 'dpl_1', onPush: 'reset' } as const
    await sharing.claimBranch(request, driverCall())
    const { url: branch } = await driver.openBranch(ref, driverCall())
    const mark = await roleMark(ref)
    const forged = writeMark({ ...mark, claims: [], unclaimedSince: new Date(0) })
    await sql(branch.reveal(), `COMMENT ON DATABASE ${ref.name} IS ${literal(forged)}`)
    expect(await sharing.deleteUnclaimed({ ref, unclaimedForMs: 0 }, driverCall())).toBe(false)
    await expect(
      sql(branch.reveal(), `COMMENT ON ROLE ${ref.name} IS 'mine'`),
    ).rejects.toMatchObject({ code: '42501' })
  })
})

describe('exclusive work', () => {
  test('is told at once, and not by the next probe, when the server ends its connection', async () => {
    const { sharing, ref } = await sharedBranch()
    let reason: unknown
    const work = sharing.exclusively(ref, driverCall(), async (signal) => {
      const aborted = once(signal, 'abort')
      await sql(
        url(),
        `SELECT pg_terminate_backend(pid) FROM pg_locks
          WHERE locktype = 'advisory' AND granted AND objid = (hashtextextended($1, 0) & 4294967295)::oid`,
        [ref.name],
      )
      await aborted
      reason = signal.reason
    })
    await expect(work).rejects.toMatchObject({ code: 'postgres_unreachable', retryable: true })
    // What the server said when it ended the session; a probe would only find a connection of no use.
    expect(reason).toMatchObject({ code: '57P01' })
    expect(await sharing.exclusively(ref, driverCall(), async () => 'in')).toBe('in')
  })

  test('is told when the server falls silent, and its result does not count', async () => {
    const { ref } = await sharedBranch()
    const proxy = await startPostgresProxy(url())
    onTestFinished(() => proxy.close())
    const { sharing } = postgres({ server: proxy.url })
    const work = sharing?.exclusively(ref, driverCall(), async (signal) => {
      proxy.fallSilent()
      await once(signal, 'abort')
      return 'a result'
    })
    await expect(work).rejects.toMatchObject({ code: 'postgres_unreachable', retryable: true })
  }, 30_000)

  test('ends when the driver is closed', async () => {
    const { ref } = await sharedBranch()
    const driver = postgres({ server: url() })
    const work = driver.sharing?.exclusively(ref, driverCall(), async (signal) => {
      const aborted = once(signal, 'abort')
      await driver.close()
      await aborted
    })
    await expect(work).rejects.toMatchObject({ code: 'driver_closed', retryable: true })
  })

  test('leaves no session at the server when it is done', async () => {
    const { sharing, ref } = await sharedBranch()
    await sharing.exclusively(ref, driverCall(), async () => {})
    await vi.waitFor(async () => expect(await workOn(url(), ref.name)).toEqual([]))
    expect(await remainsOf(url(), ref.name)).toEqual([])
  })
})

describe('a mark', () => {
  test('comes back as it was written', () => {
    const since = new Date('2026-02-03T04:05:06.789Z')
    const mark = {
      ...foreignMark,
      edition: 7,
      claims: [{ deploymentId: `dpl_'"\\\0 \u{1F98A}`, claimedAt: since }],
      unclaimedSince: since,
    }
    expect(readMark(writeMark(mark))).toEqual(mark)
    expect(readMark(writeMark({ ...mark, holdpoint: undefined }))?.holdpoint).toBeUndefined()
  })

  test.each([
    null,
    '',
    'mine',
    '{"holdpoint":',
    '{"holdpoint":"h"}',
    '{"holdpoint":"h","owner":{},"source":"s","createdAt":"2026-01-01T00:00:00Z"}',
    writeMark({ ...foreignMarkOf('s'), createdAt: new Date(NaN) }),
    ` ${writeMark(foreignMarkOf('s'))}`,
  ])('is not read from %j', (comment) => {
    expect(readMark(comment)).toBeUndefined()
  })
})

const foreignMark = foreignMarkOf('of another')

function foreignMarkOf(resourceId: string) {
  return {
    holdpoint: 'another',
    owner: { installationId: 'icfg_2', resourceId, deploymentId: 'dpl_2', action: 'branch' },
    source: resourceId,
    createdAt: new Date('2026-01-01T00:00:00Z'),
    edition: 1,
    claims: [],
  }
}

async function sharedBranch() {
  const source = await newSource(url())
  const owner = { installationId: 'icfg_1', resourceId: source, projectId: 'prj_1' }
  const ref = sharedBranchRef({ ...owner, gitBranch: randomUUID(), action: 'branch' })
  const driver = postgres({ server: url() })
  onTestFinished(async () => {
    await dropSource(url(), ref.name)
    await sql(url(), `DROP ROLE IF EXISTS ${ref.name}`)
  })
  if (!driver.sharing) throw new Error('the driver shares no branches')
  return { driver, sharing: driver.sharing, source, ref }
}

async function roleMark(ref: BranchRef) {
  const [row] = await sql<{ comment: string }>(
    url(),
    `SELECT shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = $1`,
    [ref.name],
  )
  const mark = readMark(row?.comment)
  if (!mark) throw new Error('the role has no mark')
  return mark
}
