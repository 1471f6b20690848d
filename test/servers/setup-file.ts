import { inject } from 'vitest'
import { oncePerProcess } from './once-per-process.ts'
import './provided-context.ts'

// Loading Temporal's native core takes half a second, which tests of pure functions need not wait for.
const usesTemporal = inject('workflowBundle') || inject('cliPath') || inject('devServer')
if (usesTemporal) await oncePerProcess('runtime', installQuietRuntime)

// A test that waits for a server would otherwise outlive a killed vitest.
await oncePerProcess('end-with-vitest', () => {
  process.once('disconnect', () => process.exit(1))
})

/** Temporal's core says errors only, and leaves signals to vitest. */
async function installQuietRuntime(): Promise<void> {
  const { DefaultLogger, makeTelemetryFilterString, Runtime } = await import('@temporalio/worker')
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
    },
  })
}
