import { randomInt } from 'node:crypto'

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** A fresh id in Vercel's form: the prefix, an underscore, alphanumerics. */
export function newId(prefix: string, length = 24): string {
  return `${prefix}_${randomAlphanumerics(length)}`
}

/** A fresh 40-digit commit id. */
export function newCommitSha(): string {
  return Array.from({ length: 40 }, () => randomInt(16).toString(16)).join('')
}

/** Lower-case alphanumerics, as in the host name of a deployment. */
export function newHostSuffix(): string {
  return randomAlphanumerics(9).toLowerCase()
}

function randomAlphanumerics(length: number): string {
  return Array.from({ length }, () => ALPHANUMERIC.charAt(randomInt(ALPHANUMERIC.length))).join('')
}
