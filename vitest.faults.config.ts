import { configDefaults, defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

/** The crash suite, `npm run test:faults`: it takes many minutes and both cores, so `npm test` leaves it out. */
export default defineConfig({
  ...config,
  test: {
    ...config.test,
    include: ['test/faults/**/*.test.ts'],
    exclude: configDefaults.exclude,
    // Each has servers of its own and needs both cores.
    maxWorkers: 1,
    // One line a scenario.
    reporters: ['verbose'],
    testTimeout: 15 * 60_000,
    hookTimeout: 2 * 60_000,
  },
})
