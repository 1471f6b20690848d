import { join } from 'node:path'
import { startDevServer } from '../../src/temporal/dev-server.ts'
import { startPeer } from './peer.ts'
import { startDefaultServer } from './default-server.ts'
import type { RunningSystem, Surroundings } from './system.ts'

/** Starts the plain application on a Temporal server of its own: with default flags, or with Holdpoint's. */
export async function startPlain(
  surroundings: Surroundings,
  { tunedServer }: { readonly tunedServer: boolean },
): Promise<RunningSystem> {
  const { cliPath, directory } = surroundings
  const begin = performance.now()
  const request = {
    cliPath,
    directory: join(directory, 'temporal'),
    logFile: join(directory, 'temporal.log'),
  }
  const server = tunedServer ? await startDevServer(request) : await startDefaultServer(request)
  try {
    const app = await startPeer('plain/app', surroundings, { TEMPORAL_ADDRESS: server.address })
    return {
      webhookUrl: app.webhookUrl,
      app: { pid: app.pid },
      server: { pid: server.pid },
      temporal: { address: server.address, namespace: 'default' },
      startUpMs: performance.now() - begin,
      async stop() {
        await app.stop()
        await server.stop()
      },
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}
