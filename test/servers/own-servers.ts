import { inject } from 'vitest'
import './provided-context.ts'

// What two test files at the same time would disturb each other on, each of vitest's workers has for itself.

/** The superuser's connection URL of an embedded Postgres, shared with the other files of this worker. */
export function ownPostgresUrl(): string {
  return ownOf(inject('postgresUrls'))
}

/** A Temporal test server that skips time. One file at a time uses its clock; take a namespace of your own. */
export function ownTimeSkippingServer(): { address: string } {
  return ownOf(inject('timeSkippingServers'))
}

function ownOf<Server>(servers: readonly Server[] | undefined): Server {
  // oxlint-disable-next-line node/no-process-env -- it is how vitest tells a worker which it is, from 1 on
  const server = servers?.[Number(process.env['VITEST_POOL_ID']) - 1]
  if (server === undefined)
    throw new Error("There is no such server: the top of this run's output says why.")
  return server
}
