import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import type { Secret } from '../../domain/secret.ts'

const ITERATIONS = 4096

/**
 * What Postgres keeps in place of a password (RFC 5802, RFC 7677). Sent with `PASSWORD '…'` it lets the password in
 * while the password itself is in no statement, and so in no log of the server.
 */
export async function scramVerifier(password: Secret): Promise<string> {
  const salt = randomBytes(16)
  const normalized = password.reveal().normalize('NFKC')
  const salted = await promisify(pbkdf2)(normalized, salt, ITERATIONS, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest('base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}
