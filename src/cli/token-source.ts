import type { Config } from '../config/define-config.ts'
import type { AccessTokenSource } from '../installations/access-token.ts'
import { fromEnvironment } from '../installations/from-environment.ts'
import { fromStore } from '../installations/from-store.ts'

/** Where access tokens come from: as the configuration says, else the store where there is one, else the environment. */
export function tokenSource(
  { accessToken }: Pick<Config, 'accessToken'>,
  hasStore: boolean,
): AccessTokenSource {
  return accessToken ?? (hasStore ? fromStore() : fromEnvironment())
}
