import type { Secret } from '../domain/secret.ts'
import type { AccessTokenOf } from './access-token.ts'

interface Kept {
  readonly token: Promise<Secret>
  readonly untilMs: number
}

/** More installations than have builds at once; what is forgotten is asked for again. */
const MOST_KEPT = 10_000

/**
 * Keeps tokens for some time (milliseconds), and asks once for all who want the same one. A token that was refused is
 * asked for anew, by the first who was; failures are not kept.
 */
export function keepTokens(
  ask: (installationId: string) => Promise<Secret>,
  forMs: number,
): AccessTokenOf {
  const cache = new Map<string, Kept>()

  const forget = (installationId: string, kept: Kept) => {
    if (cache.get(installationId) === kept) cache.delete(installationId)
  }

  async function askAnew(installationId: string): Promise<string> {
    const kept = { token: ask(installationId), untilMs: Date.now() + forMs }
    // The last one in the order of the map.
    cache.delete(installationId)
    cache.set(installationId, kept)
    const [oldest] = cache.keys()
    if (cache.size > MOST_KEPT && oldest !== undefined) cache.delete(oldest)
    try {
      return (await kept.token).reveal()
    } catch (error) {
      forget(installationId, kept)
      throw error
    }
  }

  return async (installationId, refused) => {
    for (;;) {
      const kept = cache.get(installationId)
      if (!kept || kept.untilMs <= Date.now()) return await askAnew(installationId)
      const token = (await kept.token).reveal()
      if (token !== refused) return token
      forget(installationId, kept)
    }
  }
}
