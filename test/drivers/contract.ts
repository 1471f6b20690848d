import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { ActionKey } from '../../src/domain/action-key.ts'
import { type BranchRef, branchRef } from '../../src/domain/branch-ref.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import type { BranchConnection, ResourceDriver } from '../../src/drivers/driver.ts'
import { driverCall } from './driver-call.ts'

/** A driver against a real provider, and the provider's other side, by which a test sees what the driver did. */
export interface DriverUnderTest {
  readonly driver: ResourceDriver
  /** A new resource that holds these lines. */
  makeSource(lines: readonly string[]): Promise<string>
  /** Comes in through the branch's connection, as the deployment does. */
  readLines(connection: BranchConnection): Promise<string[]>
  addLine(connection: BranchConnection, line: string): Promise<void>
  /** Keeps a connection to the branch open until the test ends. */
  stayConnected(connection: BranchConnection): Promise<void>
  /** All that exists at the provider under this name, whoever made it. */
  remains(name: string): Promise<string[]>
  close(): Promise<void>
}

/** What every driver promises; see `ResourceDriver`. */
export function describeDriverContract(name: string, setUp: () => Promise<DriverUnderTest>): void {
  describe(name, () => {
    let subject: DriverUnderTest
    let driver: ResourceDriver
    let source: string
    const made = new Set<BranchRef>()

    beforeAll(async () => {
      subject = await setUp()
      driver = subject.driver
      source = await subject.makeSource(['one', 'two'])
    })

    afterEach(async () => {
      for (const ref of made) await driver.deleteBranch(ref, driverCall())
      made.clear()
    })

    afterAll(async () => {
      await subject.close()
    })

    function newRef(changes: Partial<ActionKey> = {}): BranchRef {
      const ref = branchRef({
        installationId: 'icfg_1',
        resourceId: source,
        deploymentId: `dpl_${randomUUID()}`,
        action: 'branch',
        ...changes,
      })
      made.add(ref)
      return ref
    }

    async function createdBranch(): Promise<BranchRef> {
      const ref = newRef()
      await driver.createBranch({ source, ref }, driverCall())
      return ref
    }

    test('a branch holds what its resource holds, and changes to it stay in it', async () => {
      const [one, other] = [await createdBranch(), await createdBranch()]
      const connection = await driver.openBranch(one, driverCall())
      await subject.addLine(connection, 'three')
      expect(await subject.readLines(connection)).toEqual(['one', 'two', 'three'])
      const untouched = await driver.openBranch(other, driverCall())
      expect(await subject.readLines(untouched)).toEqual(['one', 'two'])
    })

    test('creating a branch a second time gives the same branch, with what was written to it', async () => {
      const ref = await createdBranch()
      await subject.addLine(await driver.openBranch(ref, driverCall()), 'three')
      await driver.createBranch({ source, ref }, driverCall())
      const connection = await driver.openBranch(ref, driverCall())
      expect(await subject.readLines(connection)).toEqual(['one', 'two', 'three'])
    })

    test('opening a branch gives what was given out before, while a key is being rotated', async () => {
      const ref = newRef()
      const before = driverCall({ key: 'an old key' })
      await driver.createBranch({ source, ref }, before)
      const given = await driver.openBranch(ref, before)
      const rotating = driverCall({ key: 'a new key', olderKeys: ['an old key'] })
      expect((await driver.openBranch(ref, rotating)).url.reveal()).toBe(given.url.reveal())
      expect(await subject.readLines(given)).toEqual(['one', 'two'])
    })

    test('a creation that was given up while its worker stood still makes nothing', async () => {
      const ref = newRef()
      const confirm = () => Promise.reject(new Error('given up'))
      await expect(driver.createBranch({ source, ref }, driverCall({ confirm }))).rejects.toThrow()
      expect(await driver.listBranches(driverCall())).not.toContainEqual(
        expect.objectContaining({ ref }),
      )
    })

    test('opening a branch gives the same connection each time', async () => {
      const ref = await createdBranch()
      const [one, other] = [
        await driver.openBranch(ref, driverCall()),
        await driver.openBranch(ref, driverCall()),
      ]
      expect(other.url.reveal()).toBe(one.url.reveal())
      expect(other.password.reveal()).toBe(one.password.reveal())
      expect([other.host, other.port, other.user, other.database]).toEqual([
        one.host,
        one.port,
        one.user,
        one.database,
      ])
    })

    test('two creations of one branch at once make one branch', async () => {
      const ref = newRef()
      await Promise.all([
        driver.createBranch({ source, ref }, driverCall()),
        driver.createBranch({ source, ref }, driverCall()),
      ])
      const connection = await driver.openBranch(ref, driverCall())
      expect(await subject.readLines(connection)).toEqual(['one', 'two'])
    })

    test('creations of several branches of one resource at once all succeed', async () => {
      const refs = [newRef(), newRef(), newRef()]
      await Promise.all(refs.map((ref) => driver.createBranch({ source, ref }, driverCall())))
      const listed = await driver.listBranches(driverCall())
      expect(listed.filter(({ ref }) => refs.some(({ name }) => name === ref.name))).toHaveLength(3)
    })

    test('a deletion that comes during the creation leaves nothing, or the whole branch', async () => {
      const ref = newRef()
      await Promise.all([
        driver.createBranch({ source, ref }, driverCall()),
        driver.deleteBranch(ref, driverCall()),
      ])
      const record = (await driver.listBranches(driverCall())).find(
        (branch) => branch.ref.name === ref.name,
      )
      expect(record?.complete ?? 'nothing').not.toBe(false)
      await driver.deleteBranch(ref, driverCall())
      expect(await subject.remains(ref.name)).toEqual([])
    })

    test('deleting a branch leaves nothing, also while somebody is connected to it', async () => {
      const ref = await createdBranch()
      await subject.stayConnected(await driver.openBranch(ref, driverCall()))
      await driver.deleteBranch(ref, driverCall())
      expect(await subject.remains(ref.name)).toEqual([])
      expect(
        (await driver.listBranches(driverCall())).map((branch) => branch.ref.name),
      ).not.toContain(ref.name)
    })

    test('deleting what is gone, or never was, succeeds', async () => {
      const ref = await createdBranch()
      await driver.deleteBranch(ref, driverCall())
      await driver.deleteBranch(ref, driverCall())
      await driver.deleteBranch(newRef(), driverCall())
    })

    test('a branch made for another owner is neither taken, opened nor deleted', async () => {
      const ref = await createdBranch()
      const refusal = { code: 'branch_owner_mismatch', retryable: false }
      for (const part of ['installationId', 'resourceId', 'deploymentId', 'action'] as const) {
        const stranger = { name: ref.name, owner: { ...ref.owner, [part]: 'another' } }
        await expect(
          driver.createBranch({ source, ref: stranger }, driverCall()),
        ).rejects.toMatchObject(refusal)
        await expect(driver.openBranch(stranger, driverCall())).rejects.toMatchObject(refusal)
        await expect(driver.deleteBranch(stranger, driverCall())).rejects.toMatchObject(refusal)
      }
      const connection = await driver.openBranch(ref, driverCall())
      expect(await subject.readLines(connection)).toEqual(['one', 'two'])
    })

    test('a list tells of each branch whose it is, of what, since when, and that it is complete', async () => {
      const before = Date.now()
      const ref = newRef({ installationId: 'icfg_"\\\'é', deploymentId: 'dpl_;\n--' })
      await driver.createBranch({ source, ref }, driverCall())
      const record = (await driver.listBranches(driverCall())).find(
        (branch) => branch.ref.name === ref.name,
      )
      expect(record).toMatchObject({ ref, source, complete: true })
      expect(record?.createdAt?.getTime()).toBeGreaterThanOrEqual(before - 1_000)
      expect(record?.createdAt?.getTime()).toBeLessThanOrEqual(Date.now() + 1_000)
    })

    test('the branch of a resource that does not exist fails for good and leaves nothing', async () => {
      const ref = newRef()
      await expect(
        driver.createBranch({ source: 'not_there', ref }, driverCall()),
      ).rejects.toMatchObject({ code: 'source_missing', retryable: false })
      expect(await subject.remains(ref.name)).toEqual([])
    })

    test('a branch that does not exist cannot be opened, for good', async () => {
      await expect(driver.openBranch(newRef(), driverCall())).rejects.toMatchObject({
        retryable: false,
      })
    })

    test('a call that is already canceled does nothing and throws the reason', async () => {
      const ref = newRef()
      const reason = new Error('canceled by the test')
      const call = driverCall({ signal: AbortSignal.abort(reason) })
      await expect(driver.createBranch({ source, ref }, call)).rejects.toBe(reason)
      await expect(driver.openBranch(ref, call)).rejects.toBe(reason)
      await expect(driver.deleteBranch(ref, call)).rejects.toBe(reason)
      await expect(driver.listBranches(call)).rejects.toBe(reason)
      expect(await subject.remains(ref.name)).toEqual([])
    })

    test('wherever a creation is canceled, creating again completes it and deleting leaves nothing', async () => {
      for (const afterMs of [3, 15, 40, 65]) {
        const ref = newRef()
        const cancel = new AbortController()
        const timer = setTimeout(() => cancel.abort(new Error('canceled by the test')), afterMs)
        onTestFinished(() => clearTimeout(timer))
        await driver
          .createBranch({ source, ref }, driverCall({ signal: cancel.signal }))
          .catch(() => {})
        await driver.createBranch({ source, ref }, driverCall())
        const connection = await driver.openBranch(ref, driverCall())
        expect(await subject.readLines(connection)).toEqual(['one', 'two'])
        await driver.deleteBranch(ref, driverCall())
        expect(await subject.remains(ref.name)).toEqual([])
      }
    })

    test('no failure and no progress tells a password or a connection string', async () => {
      const told: string[] = []
      const ref = newRef()
      const call = driverCall({ onProgress: (text) => told.push(text) })
      await driver.createBranch({ source, ref }, call)
      const { password } = await driver.openBranch(ref, call)
      const stranger = { name: ref.name, owner: { ...ref.owner, action: 'another' } }
      const failures = await Promise.all([
        driver.openBranch(stranger, call).catch((error: unknown) => error),
        driver
          .createBranch({ source: 'not_there', ref: newRef() }, call)
          .catch((error: unknown) => error),
        driver.openBranch(newRef(), call).catch((error: unknown) => error),
      ])
      for (const failure of failures) {
        expect(failure).toBeInstanceOf(ActionFailure)
        if (failure instanceof ActionFailure) told.push(failure.message)
      }
      expect(told.join('\n')).not.toContain(password.reveal())
      expect(told.join('\n')).not.toMatch(/:\/\//)
    })

    test('a check-up of a provider in order finds no error', async () => {
      const findings = await driver.check()
      expect(findings.filter(({ level }) => level === 'error')).toEqual([])
      expect(findings.filter(({ level, fix }) => level !== 'ok' && fix === undefined)).toEqual([])
    })
  })
}
