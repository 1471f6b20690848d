import type pg from 'pg'
import { ActionFailure } from '../domain/failure.ts'
import type { Place, Seal } from './seal.ts'

/** The columns that are sealed, with those that identify their row. */
const SEALED = [
  { table: 'installations', column: 'access_token', identity: ['id'] },
  { table: 'answers', column: 'answer', identity: ['installation_id', 'key', 'fingerprint'] },
] as const

/** Where an access token is sealed to. */
export function tokenPlace(installationId: string): Place {
  return ['installations', 'access_token', installationId]
}

/** Where an answer is sealed to. */
export function answerPlace(request: {
  installationId: string
  key: string
  fingerprint: string
}): Place {
  return ['answers', 'answer', request.installationId, request.key, request.fingerprint]
}

/**
 * Seals with the current key what an older one of the ring sealed, and answers how much that was: so an older key is
 * needed by nobody once every process runs with the new one first. To be called in a transaction: rows are locked in
 * one order, as other processes do the same. What does not open is left as it is, for `check` to tell.
 */
export async function reseal(client: pg.ClientBase, seal: Seal): Promise<number> {
  let resealed = 0
  for (const { table, column, identity } of SEALED) {
    const { rows } = await client.query<{ identity: string[]; sealed: string }>(
      `SELECT ARRAY[${identity.join(', ')}] AS identity, ${column} AS sealed
        FROM holdpoint.${table} WHERE split_part(${column}, ':', 1) <> $1
        ORDER BY ${identity.join(', ')} FOR UPDATE`,
      [seal.keyId],
    )
    const fresh = rows.flatMap((row) => {
      const place: Place = [table, column, ...row.identity]
      const text = opened(seal, row.sealed, place)
      return text === undefined ? [] : [{ old: row.sealed, text: seal.seal(text, place) }]
    })
    // No sealed text is there twice, so it also identifies its row.
    await client.query(
      `UPDATE holdpoint.${table} SET ${column} = fresh.text
        FROM unnest($1::text[], $2::text[]) AS fresh (old, text) WHERE ${column} = fresh.old`,
      [fresh.map(({ old }) => old), fresh.map(({ text }) => text)],
    )
    resealed += fresh.length
  }
  return resealed
}

function opened(seal: Seal, sealed: string, place: Place): string | undefined {
  try {
    return seal.open(sealed, place)
  } catch (error) {
    if (error instanceof ActionFailure) return undefined
    throw error
  }
}
