import { execFile } from 'node:child_process'
import { access, constants, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** `pg_dump` and `pg_restore` of one installation. */
export interface ClientTools {
  readonly dump: string
  readonly restore: string
  readonly major: number
}

/**
 * The client tools that can copy a database of a server of this major version, found on the search path or where
 * Linux distributions put each version; undefined when there are none.
 */
export async function findClientTools(serverMajor: number): Promise<ClientTools | undefined> {
  const found: ClientTools[] = []
  for (const directory of await toolDirectories()) {
    const tools = await readTools(directory)
    if (tools?.major === serverMajor) return tools
    if (tools !== undefined && fits(tools.major, serverMajor)) found.push(tools)
  }
  return found.sort((one, other) => one.major - other.major)[0]
}

// Older tools refuse a newer server. From 17 on, pg_restore begins with a setting that servers before 17 refuse.
function fits(major: number, serverMajor: number): boolean {
  return major >= serverMajor && (major < 17 || serverMajor >= 17)
}

// Each version's own directory before the search path: Debian's /usr/bin/pg_dump is a wrapper that picks a version.
async function toolDirectories(): Promise<string[]> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => [])
  const directories = versions.map((version) => join('/usr/lib/postgresql', version, 'bin'))
  const onPath = await findOnPath('pg_dump')
  return onPath === undefined ? directories : [...directories, dirname(onPath)]
}

async function findOnPath(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `command -v ${program}`])
    return stdout.trim()
  } catch {
    return undefined
  }
}

async function readTools(directory: string): Promise<ClientTools | undefined> {
  const dump = join(directory, 'pg_dump')
  const restore = join(directory, 'pg_restore')
  try {
    await access(dump, constants.X_OK)
    await access(restore, constants.X_OK)
    const { stdout } = await promisify(execFile)(dump, ['--version'], { timeout: 5_000 })
    const major = Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1])
    return Number.isInteger(major) ? { dump, restore, major } : undefined
  } catch {
    return undefined
  }
}
