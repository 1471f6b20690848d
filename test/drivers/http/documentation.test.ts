import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { branchRef } from '../../../src/domain/branch-ref.ts'
import { driverCall } from '../../../src/testing/driver-call.ts'
import { driverFor } from './http-under-test.ts'
import { PROVIDER_SECRET } from './postgres-provider.ts'

/** Runs the program that stands in docs/http-driver.md, by itself, and answers where it listens. */
async function startDocumentedProvider(): Promise<string> {
  const page = await readFile(new URL('../../../docs/http-driver.md', import.meta.url), 'utf8')
  const program = /^```js\n(.+?)^```$/ms.exec(page)?.[1] ?? ''
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-docs-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'provider.mjs')
  await writeFile(file, program)
  const running = spawn(process.execPath, [file], {
    env: { PROVIDER_SECRET, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(running, 'exit')
  onTestFinished(async () => {
    running.kill()
    await ended
  })
  const [line] = (await once(createInterface(running.stdout), 'line')) as [string]
  return `http://127.0.0.1:${line.split(' ').at(-1)}`
}

function refOf(deploymentId: string) {
  return branchRef({ installationId: 'icfg_1', resourceId: 'shop', deploymentId, action: 'branch' })
}

test('the provider in docs/http-driver.md does what the page promises', async () => {
  const driver = driverFor(await startDocumentedProvider())
  onTestFinished(() => driver.close())
  const ref = refOf('dpl_1')
  const create = () =>
    driver.createBranch({ source: 'shop', ref }, driverCall({ holdpoint: 'oac_1' }))
  await create()
  await create()
  const opened = await driver.openBranch(ref, driverCall())
  expect(opened.url.reveal()).toBe((await driver.openBranch(ref, driverCall())).url.reveal())
  expect(await driver.listBranches(driverCall())).toMatchObject([
    { ref, source: 'shop', holdpoint: 'oac_1', complete: true },
  ])
  expect(await driver.check()).toMatchObject([{ level: 'ok' }])

  const stranger = { name: ref.name, owner: { ...ref.owner, action: 'other' } }
  const mismatch = { code: 'branch_owner_mismatch', retryable: false }
  await expect(driver.deleteBranch(stranger, driverCall())).rejects.toMatchObject(mismatch)
  await expect(driver.openBranch(stranger, driverCall())).rejects.toMatchObject(mismatch)
  const missing = driver.createBranch({ source: 'none', ref: refOf('dpl_2') }, driverCall())
  await expect(missing).rejects.toMatchObject({ code: 'source_missing', retryable: false })

  await driver.deleteBranch(ref, driverCall())
  await driver.deleteBranch(ref, driverCall())
  expect(await driver.listBranches(driverCall())).toEqual([])
  await expect(driver.openBranch(ref, driverCall())).rejects.toMatchObject({
    code: 'branch_missing',
    retryable: false,
  })
  await create()
  expect(await driver.listBranches(driverCall())).toHaveLength(1)
})

test('the provider in docs/http-driver.md refuses a late creation and a wrong signature', async () => {
  const url = await startDocumentedProvider()
  const [driver, other] = [driverFor(url), driverFor(url)]
  const stranger = driverFor(url, { secret: 'some-other-secret-of-a-stranger-0123' })
  onTestFinished(async () => {
    for (const each of [driver, other, stranger]) await each.close()
  })
  const ref = refOf('dpl_1')
  const confirm = () => other.deleteBranch(ref, driverCall())
  const late = driver.createBranch({ source: 'shop', ref }, driverCall({ confirm }))
  await expect(late).rejects.toMatchObject({ code: 'fence_changed', retryable: true })
  await expect(stranger.listBranches(driverCall())).rejects.toMatchObject({
    code: 'provider_refused_signature',
  })
  expect(await driver.listBranches(driverCall())).toEqual([])
})
