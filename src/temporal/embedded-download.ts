import { chmod, readdir, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { runCommand } from './embedded-command.ts'

/** What the Temporal SDK can download by itself: the CLI with its dev server, or the time-skipping test server. */
export type DownloadKind = 'dev-server' | 'time-skipping'

export interface DownloadRequest {
  readonly kind: DownloadKind
  /** A release such as `v1.5.1`, or `default`: what the installed SDK was made for. */
  readonly version: string
  /** An empty directory of the caller's. */
  readonly directory: string
  readonly onProgress: (line: string) => void
  /** Gives up when nothing more has come for this long; 60 seconds unless told otherwise. */
  readonly stalledAfterMs?: number
}

const PROGRESS_EVERY_MS = 10_000

/**
 * Downloads through the Temporal SDK and answers the program's path. In a process of its own, because the SDK offers
 * neither a time limit nor a way to stop. Rejects with one line when the download is refused or stalls.
 */
export async function downloadThroughSdk(request: DownloadRequest): Promise<string> {
  const { directory, stalledAfterMs = 60_000, onProgress } = request
  const abort = new AbortController()
  let bytes = 0
  let grownAt = Date.now()
  const look = async () => {
    const size = await sizeOf(directory)
    if (size > bytes) grownAt = Date.now()
    bytes = size
    if (Date.now() - grownAt > stalledAfterMs) abort.abort()
  }
  const watch = setInterval(() => void look(), 500)
  const tell = setInterval(() => onProgress(`  ${megabytes(bytes)} so far`), PROGRESS_EVERY_MS)
  try {
    const sdk = createRequire(import.meta.url).resolve('@temporalio/testing')
    await runCommand({
      command: process.execPath,
      args: ['-e', DOWNLOAD, sdk, request.kind, request.version, directory],
      signal: abort.signal,
    })
  } catch (error) {
    if (abort.signal.aborted) {
      throw new Error(
        `nothing more came for ${stalledAfterMs / 1000} seconds (${megabytes(bytes)} so far)`,
        { cause: error },
      )
    }
    throw new Error(reasonOf(error), { cause: error })
  } finally {
    clearInterval(watch)
    clearInterval(tell)
  }
  const [file] = await readdir(directory)
  if (file === undefined) throw new Error('the SDK says it succeeded, yet there is no file')
  await chmod(join(directory, file), 0o755)
  return join(directory, file)
}

// The SDK downloads only in the course of starting a server.
const DOWNLOAD = `
  const [sdk, kind, version, downloadDir] = process.argv.slice(1)
  const { TestWorkflowEnvironment } = require(sdk)
  const server = { executable: { type: 'cached-download', version, downloadDir } }
  const started = kind === 'dev-server'
    ? TestWorkflowEnvironment.createLocal({ server })
    : TestWorkflowEnvironment.createTimeSkipping({ server })
  started.then((environment) => environment.teardown()).catch((error) => {
    console.error(error.message)
    process.exit(1)
  })
`

// "Failed to start …: error sending request for url (…): client error (Connect): dns error: …": the end tells.
function reasonOf(error: unknown): string {
  const lastLine = error instanceof Error ? error.message.trim().split('\n').at(-1) : undefined
  return (lastLine ?? String(error)).replace(/^.*for url \([^)]*\):?\s*/, '')
}

async function sizeOf(directory: string): Promise<number> {
  const files = await readdir(directory).catch(() => [])
  const sizes = files.map((file) =>
    stat(join(directory, file)).then(
      ({ size }) => size,
      () => 0,
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(0)} MB`
}
