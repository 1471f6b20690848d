import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SealingKey } from '../installations/seal.ts'

const KEY_BYTES = 32

/**
 * The key that seals the installation store of a local Vercel: made up the first time and kept in the directory, for
 * its user alone, so that the next start can open what this one stored. For development only.
 */
export async function localKey(directory: string): Promise<SealingKey> {
  const file = join(directory, 'store-key')
  const kept = await readKey(file)
  if (kept) return kept
  await mkdir(directory, { recursive: true })
  // Whole or not at all, and one for all who start at the same moment: a link never replaces a file.
  const making = `${file}.${process.pid}`
  await writeFile(making, randomBytes(KEY_BYTES).toString('base64'), { mode: 0o600 })
  try {
    await link(making, file).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    })
  } finally {
    await rm(making, { force: true })
  }
  const made = await readKey(file)
  if (made) return made
  throw new Error(
    `${file} does not hold a key of ${KEY_BYTES} bytes in base64, so what was stored with it cannot be opened. Restore the file, or delete it to start with an empty store.`,
  )
}

async function readKey(file: string): Promise<SealingKey | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === KEY_BYTES ? { id: 'local', bytes } : undefined
}
