import { setTimeout as sleep } from 'node:timers/promises'
import { defineAction, defineConfig, setEnvironment } from 'holdpoint'
import { z } from 'zod'

/** The actions that Holdpoint is measured with; everything else is as it is by default. */
export default defineConfig({
  actions: {
    env: setEnvironment({ name: 'Set environment', variables: { FEATURE_FLAGS: 'preview' } }),
    work: defineAction({
      name: 'Work',
      // In milliseconds since 1970: all that were started before are open at once.
      options: z.object({ until: z.number() }),
      deadline: '15 minutes',
      async provision({ options, signal }) {
        await sleep(Math.max(options.until - Date.now(), 0), undefined, { signal })
      },
    }),
  },
})
