import 'vitest'

declare module 'vitest' {
  /** What `inject` answers. Only there when a test file of the run names it: see `needed-servers.ts`. */
  interface ProvidedContext {
    /** A Temporal server with a database file, shared by all test files: take a namespace of your own. */
    devServer: { address: string; uiUrl: string }
    /** A Temporal test server that skips time, with one clock for all: take a namespace of your own. */
    timeSkippingServer: { address: string }
    /** The superuser's connection URL of an embedded Postgres, shared by all test files. */
    postgresUrl: string
    /** The file that holds the bundled workflows: `Worker.create({ workflowBundle: { codePath } })`. */
    workflowBundle: string
    /** The Temporal CLI, as `findTemporalCli` found it. */
    cliPath: string
  }
}
