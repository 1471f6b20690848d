import { branchDatabase, defineConfig, postgres } from 'holdpoint'

/** A configuration with a driver, which is prepared at start-up: apart, so that other measures go without. */
export default defineConfig({
  actions: {
    branch: branchDatabase({
      name: 'Branch database',
      driver: postgres({ server: process.env['POSTGRES_URL'] }),
      secrets: (branch) => ({ DATABASE_URL: branch.url }),
    }),
  },
})
