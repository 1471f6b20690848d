import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { localKey } from '../../src/cli/local-key.ts'

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-key-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'data')
}

test('a key is made up once, kept for its user alone, and the same from then on', async () => {
  const directory = await newDirectory()
  const made = await localKey(directory)
  expect(made.bytes).toHaveLength(32)
  expect(await localKey(directory)).toEqual(made)
  expect(await readdir(directory)).toEqual(['store-key'])
  expect((await stat(join(directory, 'store-key'))).mode & 0o077).toBe(0)
  expect(await localKey(await newDirectory())).not.toEqual(made)
})

test('those who ask at the same moment get the same key', async () => {
  const directory = await newDirectory()
  const keys = await Promise.all(Array.from({ length: 5 }, () => localKey(directory)))
  for (const key of keys) expect(key).toEqual(keys[0])
})

test('a key that was damaged is told and not replaced: what it sealed would be lost', async () => {
  const directory = await newDirectory()
  await localKey(directory)
  await writeFile(join(directory, 'store-key'), 'damaged')
  await expect(localKey(directory)).rejects.toThrow(/store-key .*Restore the file/)
})
