import 'vitest'

declare module 'vitest' {
  /** What `inject` answers. Only there when a test file of the run names it: see `needed-servers.ts`. */
  interface ProvidedContext {
    /** A Temporal server with a database file, shared by all test files: take a namespace of your own. */
    devServer: { address: string; uiUrl: string }
    /** For each worker a Temporal test server that skips time: `ownTimeSkippingServer()` answers the own one. */
    timeSkippingServers: { address: string }[]
    /** For each worker the superuser's connection URL of an embedded Postgres: `ownPostgresUrl()` answers the own one. */
    postgresUrls: string[]
    /** The file that holds the bundled workflows: `Worker.create({ workflowBundle: { codePath } })`. */
    workflowBundle: string
    /** A directory with Holdpoint's `dist`, compiled from these sources, without the workflow bundles. */
    compiledHoldpoint: string
    /** The Temporal CLI, as `findTemporalCli` found it. */
    cliPath: string
  }
}
