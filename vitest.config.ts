import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'

export default defineConfig({
  resolve: {
    // As an operator's configuration imports it.
    alias: [
      { find: /^holdpoint$/, replacement: here('src/index.ts') },
      { find: /^holdpoint\/simulator$/, replacement: here('src/simulator/index.ts') },
      { find: /^holdpoint\/testing$/, replacement: here('src/testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      // The crash suite: `npm run test:faults`.
      'test/faults/**',
      // It writes what `replay.test.ts` reads: `npm run record:histories`.
      ...(process.env['RECORD_HISTORIES'] ? [] : ['test/replay/record-histories*.test.ts']),
    ],
    globalSetup: ['test/servers/global-setup.ts'],
    setupFiles: ['test/servers/setup-file.ts'],
    // Four processes, which take one file after the other: Temporal's native core and the workflow bundle are loaded
    // once in each, and each has a clock and a Postgres of its own. Two processors are busy with them all the time, as
    // somebody always waits.
    pool: 'forks',
    isolate: false,
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    // The machine may be busy: what is waited for comes, or the guarantee is broken.
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    coverage: {
      provider: 'v8',
      include: ['src/**', 'workflows/**', 'activities/**'],
      reporter: ['text-summary', 'text', 'html'],
      thresholds: {
        'src/domain/**': { lines: 100, functions: 100, branches: 100, statements: 100 },
        'src/webhook/**': { lines: 100, functions: 100, branches: 100, statements: 100 },
      },
    },
  },
})

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
