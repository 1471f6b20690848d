import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The files of an embedded Temporal server. */
export interface ServerHome {
  readonly database: string
  /** Stands beside a database whose first server has not come up yet. */
  readonly unfinished: string
  readonly record: string
  readonly lock: string
}

export interface ServerPorts {
  readonly ip: string
  readonly port: number
  readonly uiPort: number
}

/** A server as the next process finds it. */
export interface ServerRecord extends ServerPorts {
  readonly pid: number
  /** Set while its end is waited for. */
  readonly stopping?: boolean
}

export function homeIn(directory: string): ServerHome {
  return {
    database: join(directory, 'temporal.db'),
    unfinished: join(directory, 'temporal.db.unfinished'),
    record: join(directory, 'temporal.json'),
    lock: join(directory, 'temporal.lock'),
  }
}

/** What is remembered of the last server of the directory, running or not. */
export async function readRecord(home: ServerHome): Promise<ServerRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(home.record, 'utf8'))
    return isRecord(record) ? record : undefined
  } catch {
    return undefined
  }
}

/** Whole or not at all: another process may read it at any moment. */
export async function writeRecord(home: ServerHome, record: ServerRecord): Promise<void> {
  await writeFile(`${home.record}.new`, JSON.stringify(record))
  await rename(`${home.record}.new`, home.record)
}

/**
 * To be called before a server is started; `unfinished` goes once it is up. Drops a database whose first server never
 * came up: its schema is not made in one transaction, so it may be half of one, and holds nothing.
 */
export async function beginDatabase(home: ServerHome): Promise<void> {
  const exists = (file: string) =>
    stat(file).then(
      () => true,
      () => false,
    )
  if (await exists(home.unfinished)) {
    for (const end of ['', '-wal', '-shm', '-journal']) {
      await rm(home.database + end, { force: true })
    }
  }
  if (!(await exists(home.database))) await writeFile(home.unfinished, '')
}

function isRecord(value: unknown): value is ServerRecord {
  if (typeof value !== 'object' || value === null) return false
  const { pid, ip, port, uiPort } = value as Record<string, unknown>
  return typeof ip === 'string' && [pid, port, uiPort].every(Number.isInteger)
}
