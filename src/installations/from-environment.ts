import { type AccessTokenSource, tokenUnknown } from './access-token.ts'

/**
 * `VERCEL_ACCESS_TOKEN` for every installation: for an integration that is installed once. What is used where the
 * configuration names no source and there is no installation store.
 */
export function fromEnvironment(): AccessTokenSource {
  return {
    name: 'the environment',
    usesEnvironment: true,
    lacks: ({ environmentToken }) =>
      environmentToken
        ? undefined
        : 'VERCEL_ACCESS_TOKEN: the access token of the installation, without which no deployment can be released',
    open:
      ({ environmentToken }) =>
      async (installationId) => {
        if (environmentToken) return environmentToken
        throw tokenUnknown(installationId, 'The environment has', 'Set VERCEL_ACCESS_TOKEN.')
      },
  }
}
