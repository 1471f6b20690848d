import { type AccessTokenSource, tokenUnknown } from './access-token.ts'

/**
 * The token that Vercel gave when the installation was made, as the installation store keeps it; `VERCEL_ACCESS_TOKEN`
 * where the store has none. Each call reads it, so a token that was replaced is used at once. What is used where the
 * configuration names no source and there is a store.
 */
export function fromStore(): AccessTokenSource {
  return {
    name: 'the installation store',
    usesEnvironment: true,
    lacks: ({ store }) =>
      store
        ? undefined
        : 'HOLDPOINT_DATABASE_URL: the database of the installation store, which fromStore() reads access tokens from',
    open:
      ({ store, environmentToken }) =>
      async (installationId) => {
        const stored = await store?.accessToken(installationId)
        const token = stored?.reveal() ?? environmentToken
        if (token) return token
        throw tokenUnknown(
          installationId,
          'The installation store has',
          'If it was not uninstalled, have it installed again, or set VERCEL_ACCESS_TOKEN.',
        )
      },
  }
}
