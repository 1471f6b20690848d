import { ActionFailure } from '../domain/failure.ts'
import { type AccessTokenSource, isToken, tokenUnknown } from './access-token.ts'

/** A function of the configuration, asked for each call to Vercel: what it keeps for how long is its own affair. */
export function fromFunction(
  accessToken: (installationId: string) => Promise<string>,
): AccessTokenSource {
  return {
    name: 'the function accessToken of temporal.config.ts',
    usesEnvironment: false,
    lacks: () => undefined,
    open:
      ({ log }) =>
      async (installationId) => {
        const token: unknown = await ask(accessToken, installationId).catch((error: unknown) => {
          if (error instanceof ActionFailure) throw error
          // Nobody knows what its message holds, and ours gets into histories.
          log.error('access_token.function_failed', { installationId, error })
          throw new ActionFailure(
            'access_token_unavailable',
            `The function accessToken of temporal.config.ts failed for installation ${installationId}, so Vercel cannot be asked for it. It is tried again; the provider's log has the details.`,
            { retryable: true },
          )
        })
        if (isToken(token)) return token
        throw tokenUnknown(
          installationId,
          'The function accessToken of temporal.config.ts gave',
          'Let it resolve with the token, one word without spaces or line breaks.',
        )
      },
  }
}

// It may also throw at once.
async function ask(accessToken: (installationId: string) => unknown, installationId: string) {
  return await accessToken(installationId)
}
