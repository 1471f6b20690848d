/** A time as Neon takes it: to the second, in UTC. */
export function expiresAt(ttlMs: number): string {
  return new Date(Date.now() + ttlMs).toISOString().replace(/\.\d+Z$/, 'Z')
}
