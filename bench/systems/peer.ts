import { join } from 'node:path'
import { freePort } from '../../src/temporal/embedded-ports.ts'
import { spawnInGroup } from '../processes/spawn-in-group.ts'
import type { Surroundings } from './system.ts'

/** Runs a program of `bench/peers`, compiled, and returns when it takes webhooks. */
export async function startPeer(
  name: string,
  { vercelUrl, clientSecret, directory }: Surroundings,
  variables: Readonly<Record<string, string>>,
): Promise<{ webhookUrl: string; pid: number; stop: () => Promise<void> }> {
  const port = await freePort('127.0.0.1')
  const { pid, untilReady, stop } = await spawnInGroup({
    command: process.execPath,
    args: [join(import.meta.dirname, '../../dist/bench/peers', `${name}.js`)],
    cwd: directory,
    env: {
      HOME: directory,
      PORT: String(port),
      VERCEL_API_URL: vercelUrl,
      VERCEL_ACCESS_TOKEN: 'token-of-the-benchmark',
      INTEGRATION_CLIENT_SECRET: clientSecret,
      ...variables,
    },
    logFile: join(directory, 'peer.log'),
  })
  try {
    await untilReady(`http://127.0.0.1:${port}/readyz`)
    return { webhookUrl: `http://127.0.0.1:${port}/webhooks/vercel`, pid, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
