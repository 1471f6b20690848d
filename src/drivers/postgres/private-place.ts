import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A directory outside the project that other users may enter but only we may change, always the same for the same
 * `purpose`. Such places are shared with all users of the machine: one that somebody else made is refused.
 */
export async function privatePlace(
  purpose: string,
  { untilReboot = false }: { untilReboot?: boolean } = {},
): Promise<string> {
  const digest = createHash('sha256').update(purpose).digest('hex').slice(0, 16)
  const path = join(untilReboot ? tmpdir() : await lastingPlace(), `holdpoint-${digest}`)
  await mkdir(path, { mode: 0o755 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
  const found = await lstat(path)
  const isOurs = process.getuid === undefined || found.uid === process.getuid()
  if (!found.isDirectory() || !isOurs || (found.mode & 0o022) !== 0)
    throw new Error(`${path} belongs to somebody else or can be changed by others`)
  // Whatever the umask: the user the server runs as must get in.
  await chmod(path, 0o755)
  return path
}

// /tmp often does not survive a reboot.
async function lastingPlace(): Promise<string> {
  const isThere = await stat('/var/tmp').then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isThere ? '/var/tmp' : tmpdir()
}
