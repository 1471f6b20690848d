import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findOnPath, isProgram, runCommand } from './embedded-command.ts'
import { type DownloadRequest, downloadThroughSdk } from './embedded-download.ts'

/** The release of the Temporal CLI that is fetched where none is installed. */
export const TEMPORAL_CLI_VERSION = '1.5.1'

export interface FindCliRequest {
  /** The value of TEMPORAL_CLI_PATH, where it is set: this program or none. */
  readonly cliPath?: string | undefined
  /** The value of PATH. */
  readonly searchPath: string
  /** Where a fetched CLI is kept; `cliCacheDirectory` says which directory that is. */
  readonly cacheDirectory: string
  /** Gets one line per step, and about one every ten seconds of a long one. */
  readonly onProgress: (line: string) => void
  /** The SDK's download, unless told otherwise. */
  readonly download?: (request: DownloadRequest) => Promise<string>
}

/** The per-user directory in which a fetched CLI is kept, given the value of XDG_CACHE_HOME. */
export function cliCacheDirectory(xdgCacheHome: string | undefined): string {
  const home = xdgCacheHome || join(homedir(), '.cache')
  return join(home, 'holdpoint', `temporal-cli-${TEMPORAL_CLI_VERSION}`)
}

/**
 * Answers the path of a Temporal CLI that runs, fetching it into the cache when the machine has none: first with the
 * SDK's download, then by building it with Go. Processes that do so at once do the work twice and harm nothing.
 * Throws an error that lists the ways tried and what became of each.
 */
export async function findTemporalCli(request: FindCliRequest): Promise<string> {
  if (request.cliPath) return givenCli(request.cliPath)
  const refusals: string[] = []
  for (const way of [onPath, inCache, throughSdk, builtWithGo]) {
    try {
      return await way(request)
    } catch (error) {
      refusals.push(`  - ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(
    [
      'There is no Temporal CLI on this machine, and none could be fetched.',
      'It is the Temporal server that Holdpoint runs when TEMPORAL_ADDRESS names none. Tried, in this order:',
      ...refusals,
      'Install it (https://docs.temporal.io/cli) or set TEMPORAL_CLI_PATH to the program; or set TEMPORAL_ADDRESS to a running Temporal server.',
    ].join('\n'),
  )
}

async function givenCli(file: string): Promise<string> {
  try {
    await mustRun(file)
    return file
  } catch (error) {
    throw new Error(
      [
        `TEMPORAL_CLI_PATH is ${JSON.stringify(file)}, and this is no Temporal CLI that runs: ${inOneLine(error)}.`,
        'Holdpoint takes the program that the variable names and no other, so there is no Temporal server to start.',
        'Correct the path, or unset TEMPORAL_CLI_PATH to have the CLI found or fetched.',
      ].join('\n'),
      { cause: error },
    )
  }
}

async function onPath({ searchPath }: FindCliRequest): Promise<string> {
  const file = await findOnPath('temporal', searchPath)
  if (!file) throw new Error('PATH: no program named temporal')
  await mustRun(file).catch((error) => refuse(`PATH: ${file} does not run`, error))
  return file
}

async function inCache({ cacheDirectory }: FindCliRequest): Promise<string> {
  const file = join(cacheDirectory, 'temporal')
  if (!(await isProgram(file))) throw new Error(`cache: nothing in ${cacheDirectory}`)
  await mustRun(file).catch((error) => refuse(`cache: ${file} does not run`, error))
  return file
}

async function throughSdk(request: FindCliRequest): Promise<string> {
  const { onProgress, download = downloadThroughSdk } = request
  onProgress(
    `Downloading the Temporal CLI ${TEMPORAL_CLI_VERSION} through the Temporal SDK, once: about 60 MB.`,
  )
  try {
    return await fetchIntoCache(request, (directory) =>
      download({
        kind: 'dev-server',
        version: `v${TEMPORAL_CLI_VERSION}`,
        directory,
        onProgress,
      }),
    )
  } catch (error) {
    onProgress(`  The download failed: ${inOneLine(error)}.`)
    return refuse('download through the Temporal SDK', error)
  }
}

async function builtWithGo(request: FindCliRequest): Promise<string> {
  const { searchPath, onProgress } = request
  const go = await findOnPath('go', searchPath)
  if (!go) throw new Error('go install: no program named go on PATH')
  onProgress(
    `Building the Temporal CLI ${TEMPORAL_CLI_VERSION} from its source with ${go}, once: about 2.5 minutes on two cores, because a whole Temporal server is compiled.`,
  )
  const startedAt = Date.now()
  try {
    const file = await fetchIntoCache(request, (directory) => goInstall(go, directory, request))
    onProgress(`  Built in ${seconds(startedAt)} and kept in ${request.cacheDirectory}.`)
    return file
  } catch (error) {
    onProgress(`  The build failed: ${inOneLine(error)}.`)
    return refuse('go install', error)
  }
}

async function goInstall(
  go: string,
  directory: string,
  { onProgress }: FindCliRequest,
): Promise<string> {
  const startedAt = Date.now()
  let downloaded = 0
  let compiled = 0
  // The modules are all there before the first package is compiled.
  const tell = setInterval(
    () =>
      onProgress(
        compiled === 0
          ? `  fetching modules: ${downloaded} so far, ${seconds(startedAt)}`
          : `  compiling: ${compiled} packages so far, ${seconds(startedAt)}`,
      ),
    10_000,
  )
  try {
    await runCommand({
      command: go,
      args: ['install', '-v', `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_CLI_VERSION}`],
      environment: { GOBIN: directory },
      onLine: (line) => {
        if (line.startsWith('go: ')) downloaded += 1
        else compiled += 1
      },
    })
  } finally {
    clearInterval(tell)
  }
  return join(directory, 'temporal')
}

// The cache only ever sees a whole program: it is made beside it, tried, and then renamed.
async function fetchIntoCache(
  { cacheDirectory }: FindCliRequest,
  fetch: (directory: string) => Promise<string>,
): Promise<string> {
  await mkdir(cacheDirectory, { recursive: true })
  const directory = await mkdtemp(join(cacheDirectory, 'fetching-'))
  try {
    const fetched = await fetch(directory)
    await mustRun(fetched)
    const file = join(cacheDirectory, 'temporal')
    await rename(fetched, file)
    return file
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function mustRun(file: string): Promise<void> {
  if (!(await isProgram(file))) throw new Error('there is no such program')
  let answer = ''
  await runCommand({
    command: file,
    args: ['--version'],
    onLine: (line) => (answer += line),
    signal: AbortSignal.timeout(20_000),
  })
  if (!answer.startsWith('temporal version')) {
    throw new Error(`its --version says ${JSON.stringify(answer.slice(0, 80))}`)
  }
}

function refuse(way: string, error: unknown): never {
  throw new Error(`${way}: ${inOneLine(error)}`, { cause: error })
}

// A failed command says how it ended in its first line, and why in its last.
function inOneLine(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n')
  return [...new Set([lines[0], lines.at(-1)])].join(': ')
}

function seconds(since: number): string {
  return `${Math.round((Date.now() - since) / 1000)} s`
}
