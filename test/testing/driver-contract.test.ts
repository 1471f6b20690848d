import { driverContract } from 'holdpoint/testing'
import { describe, expect, test } from 'vitest'
import { ActionFailure } from '../../src/domain/failure.ts'
import type { ResourceDriver } from '../../src/drivers/driver.ts'
import { describeDriverContract } from '../drivers/contract.ts'
import { memoryUnderTest } from './memory-driver.ts'

describeDriverContract('the driver contract on a provider in memory', async () => memoryUnderTest())

describe('the driver contract', () => {
  test('has at least forty promises, each said once', () => {
    const names = driverContract.map(({ name }) => name)
    expect(names.length).toBeGreaterThanOrEqual(40)
    expect(new Set(names).size).toBe(names.length)
  })

  test('says nothing of sharing to a driver that cannot', () => {
    const skipped = driverContract.filter((promise) => promise.skip(memoryUnderTest()))
    expect(skipped.length).toBeGreaterThan(20)
    expect(skipped.length).toBeLessThan(driverContract.length - 30)
  })

  const promised = memoryUnderTest().driver
  const broken: Record<string, Partial<ResourceDriver>> = {
    'deletes nothing': { deleteBranch: async () => {} },
    'lists nothing': { listBranches: async () => [] },
    'fails to delete what is gone': {
      deleteBranch: async () => {
        throw new ActionFailure('branch_missing', 'it is not there', { retryable: false })
      },
    },
    'makes nothing': { createBranch: async () => {} },
    'opens what does not exist': {
      openBranch: async (ref, call) => {
        await promised.listBranches(call)
        const [password] = call.deriveSecrets(ref.name)
        return { url: password, password, host: '', port: 1, user: ref.name, database: '' }
      },
    },
    'finds errors in a provider in order': {
      check: async () => [{ subject: 's', level: 'error', message: 'm', fix: 'f' }],
    },
  }

  test.each(Object.entries(broken))('is broken by a driver that %s', async (_what, changes) => {
    const subject = memoryUnderTest(changes)
    const outcomes = await Promise.allSettled(
      driverContract
        .filter((promise) => promise.skip(subject) === undefined)
        .map(async (promise) => promise.run(subject)),
    )
    expect(outcomes.map(({ status }) => status)).toContain('rejected')
  })
})
