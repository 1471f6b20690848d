import { ActionFailure } from '../../domain/failure.ts'
import type { Connection } from './connection.ts'

/**
 * How a source is copied. `wal-log` and `file-copy` are the strategies of CREATE DATABASE; `clone` is a file copy by
 * the file system, which shares the blocks where it can; `dump` is pg_dump and pg_restore.
 */
export const STRATEGIES = ['wal-log', 'file-copy', 'clone', 'dump'] as const
export type Strategy = (typeof STRATEGIES)[number]
export type TemplateStrategy = Exclude<Strategy, 'dump'>

export interface CopyConditions {
  /** `server_version_num`: 150018 is 15.18. */
  readonly serverVersion: number
  /** Of the source; undefined where we may not know. */
  readonly sizeBytes: number | undefined
  readonly sharedBuffersBytes: number
  /** Whether the server's `file_copy_method` is `clone`. */
  readonly clones: boolean
}

/**
 * A file copy makes the server write a checkpoint before and after. Beside sessions that write, it took 0.5 s for 11 MB
 * and 0.9 s for 103 MB, by cloning or not, where `wal-log` took 0.2 s and 0.5 s; on a quiet server a clone of 103 MB took
 * 0.07 s instead of 0.2 s. See docs/performance.md.
 */
const WORTH_CLONING_BYTES = 100_000_000
/** A file copy of 965 MB took half the time of `wal-log` beside sessions that write, a third on a quiet server. */
const LARGE_BYTES = 500_000_000

/**
 * The fastest way to copy a source that nobody is connected to, of those that do others on the server no harm. Clones
 * only where the server's own settings do: a file system that cannot clone copies instead, and does not tell.
 *
 * `wal-log` writes all of the source twice, a file copy writes it once and whatever the buffers hold of others. So
 * from the buffers' own size on a file copy never writes more.
 */
export function chooseStrategy({
  serverVersion,
  sizeBytes,
  sharedBuffersBytes,
  clones,
}: CopyConditions): TemplateStrategy {
  if (!hasStrategy('wal-log', serverVersion)) return 'file-copy'
  if (sizeBytes === undefined) return 'wal-log'
  if (clones && sizeBytes >= WORTH_CLONING_BYTES) return 'clone'
  return sizeBytes >= Math.max(LARGE_BYTES, sharedBuffersBytes) ? 'file-copy' : 'wal-log'
}

/** The oldest version that has each. Before 15 CREATE DATABASE could not be told its strategy and copied files. */
const OLDEST: Record<Strategy, number> = { 'file-copy': 0, 'wal-log': 15, clone: 18, dump: 0 }

export function hasStrategy(strategy: Strategy, serverVersion: number): boolean {
  return majorOf(serverVersion) >= OLDEST[strategy]
}

/** Refuses for good a strategy that was asked for and that a server of this version does not have. */
export function requireStrategy(strategy: Strategy, serverVersion: number): void {
  if (hasStrategy(strategy, serverVersion)) return
  throw new ActionFailure(
    'strategy_unsupported',
    `The Postgres server is version ${majorOf(serverVersion)} and the strategy '${strategy}' needs ${OLDEST[strategy]}, so no branch can be made. Set the driver's strategy to 'auto', or upgrade the server.`,
    { retryable: false },
  )
}

function majorOf(serverVersion: number): number {
  return Math.floor(serverVersion / 1_00_00)
}

/** What `chooseStrategy` wants to know; undefined when there is no such source. */
export async function readConditions(
  connection: Connection,
  source: string,
): Promise<CopyConditions | undefined> {
  const [row] = await connection.query<{
    size: number | null
    buffers: number
    method: string | null
  }>(
    `SELECT CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
          THEN pg_database_size(oid)::float8 END AS size,
        pg_size_bytes(current_setting('shared_buffers'))::float8 AS buffers,
        current_setting('file_copy_method', true) AS method
      FROM pg_database WHERE datname = $1`,
    [source],
  )
  return (
    row && {
      serverVersion: connection.version,
      sizeBytes: row.size ?? undefined,
      sharedBuffersBytes: row.buffers,
      clones: row.method === 'clone',
    }
  )
}
