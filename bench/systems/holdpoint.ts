import { join } from 'node:path'
import { homeIn, readRecord } from '../../src/temporal/embedded-home.ts'
import { freePort } from '../../src/temporal/embedded-ports.ts'
import { spawnInGroup } from '../processes/spawn-in-group.ts'
import type { OwnServer } from './own-server.ts'
import type { RunningSystem, Surroundings } from './system.ts'

const root = join(import.meta.dirname, '../..')

export interface HoldpointOptions {
  /** A file in `bench/holdpoint`; `temporal.config.ts` unless said. */
  readonly config?: string
  readonly nodeArguments?: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
  /** Unset: an embedded one is started. */
  readonly ownServer?: OwnServer
}

/** Starts the built `holdpoint start` as an operator would, with nothing tuned. */
export async function startHoldpoint(
  { vercelUrl, clientSecret, cliPath, directory }: Surroundings,
  options: HoldpointOptions = {},
): Promise<RunningSystem> {
  const { config = 'temporal.config.ts', nodeArguments = [], variables, ownServer } = options
  const port = await freePort('127.0.0.1')
  const begin = performance.now()
  const program = await spawnInGroup({
    command: process.execPath,
    args: [
      ...nodeArguments,
      join(root, 'dist/src/cli/main.js'),
      'start',
      `--config=${join(root, 'bench/holdpoint', config)}`,
      `--data-dir=${directory}`,
    ],
    cwd: root,
    env: {
      HOME: directory,
      PORT: String(port),
      HOST: '127.0.0.1',
      VERCEL_API_URL: vercelUrl,
      VERCEL_ACCESS_TOKEN: 'token-of-the-benchmark',
      INTEGRATION_CLIENT_SECRET: clientSecret,
      TEMPORAL_CLI_PATH: cliPath,
      ...(ownServer && {
        TEMPORAL_ADDRESS: ownServer.temporal.address,
        TEMPORAL_NAMESPACE: ownServer.temporal.namespace,
      }),
      ...variables,
    },
    logFile: join(directory, 'holdpoint.log'),
  })
  try {
    await program.untilReady(`http://127.0.0.1:${port}/readyz`)
    const startUpMs = performance.now() - begin
    const system = {
      webhookUrl: `http://127.0.0.1:${port}/webhooks/vercel`,
      startUpMs,
      stop: program.stop,
    }
    if (ownServer) return { ...system, app: { pid: program.pid }, ...ownServer }
    const server = await readRecord(homeIn(join(directory, 'temporal')))
    if (!server) throw new Error(`No Temporal server is on record in ${directory}/temporal.`)
    return {
      ...system,
      app: { pid: program.pid, without: [server.pid] },
      server: { pid: server.pid },
      temporal: { address: `${server.ip}:${server.port}`, namespace: 'default' },
    }
  } catch (error) {
    await program.stop()
    throw error
  }
}
