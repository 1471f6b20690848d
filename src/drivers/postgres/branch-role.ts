import type { BranchRef } from '../../domain/branch-ref.ts'
import type { Secret } from '../../domain/secret.ts'
import type { DriverCall } from '../driver.ts'
import { type BranchMark, writeMark } from './branch-mark.ts'
import type { Connection } from './connection.ts'
import { joinStatement } from './join-role.ts'
import { scramVerifier } from './scram-verifier.ts'
import { identifier, literal } from './sql.ts'

/** The passwords that the branch's role may have, the one to give it now first. */
export function branchPasswords(ref: BranchRef, call: DriverCall): readonly [Secret, ...Secret[]] {
  return call.deriveSecrets(`postgres ${ref.name}`)
}

/**
 * Makes the role that owns the branch and its mark in one transaction, or marks the existing one and lets it log in
 * again, with the password that it has: that was given out perhaps. It may do nothing outside its own database but
 * what every role may.
 */
export async function createRole(
  connection: Connection,
  { ref, mark, exists }: { ref: BranchRef; mark: BranchMark; exists: boolean },
  call: DriverCall,
): Promise<void> {
  const role = identifier(ref.name)
  const make = exists
    ? `ALTER ROLE ${role} WITH LOGIN`
    : `CREATE ROLE ${role} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${await verifier(ref, call)}`
  const join = await joinStatement(connection, ref.name)
  await connection.query(`${make}; ${markStatement(ref, mark)}; ${join}`)
}

/** Changes what is written on the role. The owner must have been verified. */
export async function markRole(
  connection: Connection,
  ref: BranchRef,
  mark: BranchMark,
): Promise<void> {
  await connection.query(markStatement(ref, mark))
}

/** Sets the derived password, sent as a verifier only. The owner must have been verified. */
export async function setPassword(
  connection: Connection,
  ref: BranchRef,
  call: DriverCall,
): Promise<void> {
  const password = await verifier(ref, call)
  await connection.query(`ALTER ROLE ${identifier(ref.name)} WITH LOGIN PASSWORD ${password}`)
}

async function verifier(ref: BranchRef, call: DriverCall): Promise<string> {
  return literal(await scramVerifier(branchPasswords(ref, call)[0]))
}

function markStatement(ref: BranchRef, mark: BranchMark): string {
  return `COMMENT ON ROLE ${identifier(ref.name)} IS ${literal(writeMark(mark))}`
}
