import { branchDatabase } from '../actions/branch-database.ts'
import { setEnvironment } from '../actions/set-environment.ts'
import { branchCheck } from '../checks/branch-check.ts'
import { smokeQuery } from '../checks/smoke-query.ts'
import { type Config, defineConfig } from '../config/define-config.ts'
import { postgres } from '../drivers/postgres/driver.ts'
import { provisionDatabase } from '../products/provision-database.ts'
import { withClient } from './with-client.ts'

/** What the demo's provider offers: databases, branches of them that are migrated, and a check that looks at those. */
export function demoConfig(server: string | undefined): Config {
  const driver = postgres({ server })
  return defineConfig({
    products: {
      postgres: provisionDatabase({
        name: 'Postgres',
        plans: [
          { id: 'free', type: 'subscription', name: 'Free', description: 'One small database' },
        ],
        driver,
      }),
    },
    actions: {
      branch: branchDatabase({
        name: 'Branch database',
        suggest: ['preview'],
        driver,
        secrets: (branch) => ({ DATABASE_URL: branch.url }),
        migrate: (branch) =>
          withClient(branch.url.reveal(), async (database) => {
            await database.query('create table if not exists reviews (stars integer)')
          }),
      }),
      env: setEnvironment({ name: 'Set environment', variables: { FEATURE_FLAGS: 'preview' } }),
    },
    checks: {
      reviews: branchCheck({
        name: 'Reviews are there',
        requires: 'none',
        driver,
        action: 'branch',
        check: smokeQuery('select stars from reviews'),
      }),
    },
  })
}
