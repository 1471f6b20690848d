import { loadConfig } from '../config/load-config.ts'
import { startLocalVercel } from './local-vercel.ts'
import type { CommonOptions } from './main.ts'
import { untilStopSignal } from './run-roles.ts'

const VERCEL_PORT = 4000
const SAMPLE_DATABASE = 'holdpoint_dev_shop'

/** Runs everything on this machine until Ctrl-C: deploy, cancel and delete on the local Vercel, watch the Web UI. */
export async function dev(options: CommonOptions): Promise<void> {
  const stopSignal = untilStopSignal()
  const local = await startLocalVercel(options, {
    vercelPort: VERCEL_PORT,
    holdpointPort: 3000,
    sampleDatabase: SAMPLE_DATABASE,
    config: () => loadConfig(options.config),
    verbose: true,
  })
  try {
    process.stdout.write(
      [
        '',
        `  Local Vercel     ${local.vercel.url}   deploy, cancel and delete here`,
        `  Temporal Web UI  ${local.uiUrl ?? 'the one of your Temporal server'}`,
        `  Holdpoint        ${local.service.url}/webhooks/vercel`,
        `  Postgres         ${local.postgresShown}   the resource is the database ${SAMPLE_DATABASE}`,
        '',
        '  Ctrl-C ends it all. Data stays in the data directory unless --ephemeral was given.',
        '',
        '',
      ].join('\n'),
    )
    await Promise.race([stopSignal, local.service.ended])
  } finally {
    await local.close()
  }
}
