import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning } from './embedded-process.ts'

/**
 * Lets one process at a time through for this file, waiting for its turn; answers the call that lets the next one
 * through. What a killed holder left behind counts for nothing, and neither does a lock older than `staleAfterMs`,
 * which must be longer than anybody holds one.
 */
export async function takeTurn(file: string, staleAfterMs: number): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx' })
      return () => rm(file, { force: true })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const abandoned = await abandonedHolder(file, staleAfterMs)
    if (abandoned === undefined) await sleep(50)
    else await takeAway(file, abandoned)
  }
}

async function abandonedHolder(file: string, staleAfterMs: number): Promise<string | undefined> {
  try {
    const { mtimeMs } = await stat(file)
    const holder = await readFile(file, 'utf8')
    const ageMs = Date.now() - mtimeMs
    // Freshly made and still empty: the holder is about to write its id.
    const holds =
      holder === '' ? ageMs < 2_000 : ageMs < staleAfterMs && (await isRunning(Number(holder)))
    return holds ? undefined : holder
  } catch {
    return undefined
  }
}

// Renamed first and looked at again: between our look and now another process may have taken it away and hold a new
// one, which is put back.
async function takeAway(file: string, abandoned: string): Promise<void> {
  const mine = `${file}.${process.pid}`
  try {
    await rename(file, mine)
    if ((await readFile(mine, 'utf8')) !== abandoned) await link(mine, file)
    await rm(mine, { force: true })
  } catch {
    // Another process was quicker.
  }
}
