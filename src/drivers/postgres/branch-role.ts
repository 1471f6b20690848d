import type { BranchRef } from '../../domain/branch-ref.ts'
import type { Secret } from '../../domain/secret.ts'
import type { DriverCall } from '../driver.ts'
import { type BranchMark, writeMark } from './branch-mark.ts'
import type { Connection } from './connection.ts'
import { scramVerifier } from './scram-verifier.ts'
import { identifier, literal } from './sql.ts'

/** The passwords that the branch's role may have, the one to give it now first. */
export function branchPasswords(ref: BranchRef, call: DriverCall): readonly [Secret, ...Secret[]] {
  return call.deriveSecrets(`postgres ${ref.name}`)
}

/**
 * Makes the role that owns the branch and its mark in one transaction, or lets the existing one log in again. It may
 * do nothing outside its own database but what every role may.
 */
export async function createRole(
  connection: Connection,
  { ref, mark, exists }: { ref: BranchRef; mark: BranchMark; exists: boolean },
  call: DriverCall,
): Promise<void> {
  if (exists) await setPassword(connection, ref, call)
  else await createMarkedRole(connection, mark, { ref, call })
  await joinRole(connection, ref.name)
}

/** Sets the derived password, sent as a verifier only. The owner must have been verified. */
export async function setPassword(
  connection: Connection,
  ref: BranchRef,
  call: DriverCall,
): Promise<void> {
  const verifier = await scramVerifier(branchPasswords(ref, call)[0])
  await connection.query(
    `ALTER ROLE ${identifier(ref.name)} WITH LOGIN PASSWORD ${literal(verifier)}`,
  )
}

async function createMarkedRole(
  connection: Connection,
  mark: BranchMark,
  { ref, call }: { ref: BranchRef; call: DriverCall },
): Promise<void> {
  const verifier = await scramVerifier(branchPasswords(ref, call)[0])
  await connection.query(
    `CREATE ROLE ${identifier(ref.name)} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
       PASSWORD ${literal(verifier)};
     COMMENT ON ROLE ${identifier(ref.name)} IS ${literal(writeMark(mark))}`,
  )
}

// Who is no superuser must be a member of a role to give it a database, to comment on that and to drop it again.
async function joinRole(connection: Connection, role: string): Promise<void> {
  const [admin] = await connection.query<{ rolsuper: boolean }>(
    'SELECT rolsuper FROM pg_roles WHERE rolname = current_user',
  )
  if (admin?.rolsuper !== true) await connection.query(`GRANT ${identifier(role)} TO CURRENT_USER`)
}
