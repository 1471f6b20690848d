import { branchDatabase, defineConfig, postgres, setEnvironment } from 'holdpoint'

export default defineConfig({
  temporal: { taskQueue: 'deployment-actions' },
  actions: {
    branch: branchDatabase({
      name: 'Branch database',
      description:
        'A copy of the database for this deployment alone, with its own role and password',
      suggest: ['preview'],
      driver: postgres({ server: process.env.POSTGRES_URL }),
      secrets: (branch) => ({ DATABASE_URL: branch.url }),
      deadline: '2 minutes',
    }),
    env: setEnvironment({
      name: 'Set environment',
      description: 'Environment variables from the configuration',
      variables: { FEATURE_FLAGS: 'preview' },
    }),
  },
})
