import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { sql } from '../drivers/postgres-under-test.ts'
import { devServerEnvironment } from '../servers/temporal-environment.ts'
import { eventually, type HoldpointUnderTest, startHoldpoint } from './holdpoint-under-test.ts'
import {
  type HoldpointProcess,
  installHoldpoint,
  type InstalledHoldpoint,
} from './installed-holdpoint.ts'

const CONFIGURATION = `
import { branchDatabase, defineConfig, postgres } from 'holdpoint'

export default defineConfig({
  temporal: { taskQueue: 'deployment-actions' },
  actions: {
    branch: branchDatabase({
      name: 'Branch database',
      driver: postgres({ server: process.env.POSTGRES_URL }),
      deadline: '1 minute',
    }),
  },
})
`

let installed: InstalledHoldpoint
beforeAll(async () => {
  installed = await installHoldpoint(CONFIGURATION)
})
afterAll(() => installed.remove())
