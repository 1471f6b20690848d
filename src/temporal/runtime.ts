import { makeTelemetryFilterString, Runtime } from '@temporalio/worker'
import { type Log } from '../log.ts'

/**
 * Sends what Temporal's SDK has to say to our log, which blanks credentials. To be called once, before the first
 * connection. Leaves SIGTERM to us.
 */
export function installRuntime(log: Log): void {
  const forward = (level: keyof Log) => (message: string, meta?: Record<string, unknown>) =>
    log[level]('temporal.sdk', {
      message,
      ...(meta?.['error'] !== undefined && { error: meta['error'] }),
    })
  Runtime.install({
    logger: {
      log: (level, message, meta) => {
        if (level === 'ERROR') forward('error')(message, meta)
        else if (level === 'WARN') forward('warn')(message, meta)
      },
      trace: () => {},
      debug: () => {},
      info: () => {},
      warn: forward('warn'),
      error: forward('error'),
    },
    shutdownSignals: [],
    telemetryOptions: {
      // Core warns at each retry during an outage of the server; readiness tells of it instead.
      logging: {
        forward: {},
        filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }),
      },
    },
  })
}
