import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'

const MEMORY = '/dev/shm'
const ROOM_BYTES = 3 * 1024 ** 3

/**
 * Where the servers of the tests keep their files: in memory where the system offers that and there is room, else
 * beside all other temporary files. A Postgres database is 300 files, and the tests make and drop hundreds of them,
 * which costs ten times as much on a disk.
 */
export async function quickDirectory(): Promise<string> {
  try {
    await access(MEMORY, constants.W_OK)
    const { bavail, bsize } = await statfs(MEMORY)
    return bavail * bsize >= ROOM_BYTES ? MEMORY : tmpdir()
  } catch {
    return tmpdir()
  }
}
