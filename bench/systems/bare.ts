import { startPeer } from './peer.ts'
import type { RunningSystem, Surroundings } from './system.ts'

export async function startBare(
  surroundings: Surroundings,
  { sideBySide }: { readonly sideBySide: boolean },
): Promise<RunningSystem> {
  const begin = performance.now()
  const { webhookUrl, pid, stop } = await startPeer('bare', surroundings, {
    SIDE_BY_SIDE: sideBySide ? '1' : '0',
  })
  return { webhookUrl, app: { pid }, startUpMs: performance.now() - begin, stop }
}
