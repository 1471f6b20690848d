import { ActionFailure } from '../domain/failure.ts'
import type { Finding } from '../domain/finding.ts'
import type { StoreDatabase } from './database.ts'
import { pendingMigrations } from './migrate.ts'
import { tokenPlace } from './reseal.ts'
import type { Seal } from './seal.ts'

/** Whether the store answers, its schema is that of this release, and its tokens open. Never throws. */
export async function checkStore(database: StoreDatabase, seal: Seal): Promise<Finding[]> {
  const subject = 'Installation store'
  try {
    const doing = 'no installation is known'
    const pending = await pendingMigrations((text) => database.run(doing, text))
    if (pending === undefined || pending.length > 0) {
      return [
        {
          subject,
          level: 'warning',
          message: pending
            ? `its schema lacks what this release needs (${pending.join(', ')})`
            : 'it answers, and has no tables yet',
          fix: 'start Holdpoint on it: it makes what is missing',
        },
      ]
    }
    const { rows } = await database.run<{ count: number }>(
      doing,
      'SELECT count(*)::int AS count FROM holdpoint.installations',
    )
    return [
      { subject, level: 'ok', message: `it answers, and knows ${rows[0]?.count} installations` },
      await tokensFinding(database, seal),
    ]
  } catch (error) {
    return [
      {
        subject,
        level: 'error',
        message: error instanceof ActionFailure ? error.message : 'it cannot be examined',
        fix: 'check HOLDPOINT_DATABASE_URL, the server, and the network between',
      },
    ]
  }
}

async function tokensFinding(database: StoreDatabase, seal: Seal): Promise<Finding> {
  const subject = 'Installation tokens'
  // One of each key is enough: what another key of the same name sealed opens none of them.
  const { rows } = await database.run<{ key_id: string; count: number; id: string; token: string }>(
    'the tokens are not examined',
    `SELECT key_id, count(*)::int AS count, min(id) AS id, (array_agg(access_token ORDER BY id))[1] AS token
      FROM (SELECT id, access_token, split_part(access_token, ':', 1) AS key_id
        FROM holdpoint.installations WHERE access_token IS NOT NULL) AS tokens
      GROUP BY key_id ORDER BY key_id`,
  )
  for (const { key_id, count, id, token } of rows) {
    try {
      seal.open(token, tokenPlace(id))
    } catch (error) {
      if (!(error instanceof ActionFailure)) throw error
      return {
        subject,
        level: 'error',
        message: `${count} are sealed with the key ${JSON.stringify(key_id)}. ${error.message}`,
        fix: 'add that key to HOLDPOINT_ENCRYPTION_KEYS, behind the current one',
      }
    }
  }
  const older = rows.filter(({ key_id }) => key_id !== seal.keyId)
  if (older.length === 0) return { subject, level: 'ok', message: 'all open with the current key' }
  return {
    subject,
    level: 'warning',
    message: `some are sealed with older keys (${older.map(({ key_id }) => key_id).join(', ')}), which are needed until then`,
    fix: 'restart Holdpoint with the current key first: it seals them anew',
  }
}
