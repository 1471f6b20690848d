import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

/** Whom the embedded server runs as, where that is not simply who we are. */
export interface ServerUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * Postgres refuses to run as root. So root lends it another user: `postgres`, else `nobody`, else one that is made;
 * undefined for everybody else, who runs it as himself.
 */
export async function chooseServerUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const user = await findUser(name)
    if (user !== undefined && user.uid !== 0) return user
  }
  await promisify(execFile)('useradd', ['--system', '--user-group', 'postgres'])
  const made = await findUser('postgres')
  if (made === undefined) throw new Error('the user postgres was added but cannot be found')
  return made
}

/** Whether the user may enter every directory on the way to this path, and read the path itself. */
export async function canReach(path: string, user: ServerUser | undefined): Promise<boolean> {
  if (user === undefined) return true
  let needed = 0o5
  for (let place = path; ; place = dirname(place)) {
    const { mode, uid, gid } = await stat(place)
    const granted = uid === user.uid ? mode >> 6 : gid === user.gid ? mode >> 3 : mode
    if ((granted & needed) !== needed) return false
    if (place === dirname(place)) return true
    needed = 0o1
  }
}

async function findUser(name: string): Promise<ServerUser | undefined> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) =>
        Number((await promisify(execFile)('id', [flag, name])).stdout),
      ),
    )
    return uid === undefined || gid === undefined ? undefined : { name, uid, gid }
  } catch {
    return undefined
  }
}
