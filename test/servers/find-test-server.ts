import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findOnPath, isProgram, runCommand } from '../../src/temporal/embedded-command.ts'
import { downloadThroughSdk } from '../../src/temporal/embedded-download.ts'

/** The release of Temporal's Java test server that Maven is asked for. */
const VERSION = '1.38.0'

export interface FindTestServerRequest {
  /** The value of TEMPORAL_TEST_SERVER_PATH, where it is set: this program or none. */
  readonly serverPath: string | undefined
  /** The value of PATH. */
  readonly searchPath: string
  /** The per-user directory for what is fetched once. */
  readonly cacheDirectory: string
  readonly onProgress: (line: string) => void
}

export interface Command {
  readonly command: string
  readonly args: readonly string[]
}

/**
 * Answers the command that runs Temporal's time-skipping test server, fetching it into the cache when needed: with
 * the SDK's download, else with Maven. Throws an error that lists the ways tried and what became of each.
 */
export async function findTestServer(request: FindTestServerRequest): Promise<Command> {
  if (request.serverPath) return givenServer(request.serverPath)
  const refusals: string[] = []
  for (const way of [inCache, throughSdk, withMaven]) {
    try {
      return await way({ ...request, cacheDirectory: versioned(request.cacheDirectory) })
    } catch (error) {
      refusals.push(`  - ${inOneLine(error)}`)
    }
  }
  throw new Error(
    [
      "Temporal's time-skipping test server is not on this machine and could not be fetched.",
      'The workflow tests let months pass on it in a second, so they cannot run. Tried, in this order:',
      ...refusals,
      'Install a JDK and Maven, or set TEMPORAL_TEST_SERVER_PATH to the test server.',
    ].join('\n'),
  )
}

function versioned(cacheDirectory: string): string {
  return join(cacheDirectory, `temporal-test-server-${VERSION}`)
}

async function givenServer(file: string): Promise<Command> {
  if (await isProgram(file)) return { command: file, args: [] }
  throw new Error(
    `TEMPORAL_TEST_SERVER_PATH is ${JSON.stringify(file)}, and there is no such program, so the workflow tests cannot run. Correct the path or unset the variable.`,
  )
}

async function inCache({ cacheDirectory, searchPath }: FindTestServerRequest): Promise<Command> {
  const program = join(cacheDirectory, 'temporal-test-server')
  if (await isProgram(program)) return { command: program, args: [] }
  const libraries = join(cacheDirectory, 'lib')
  const marker = join(libraries, `temporal-test-server-${VERSION}.jar`)
  if (!(await exists(marker))) throw new Error(`cache: nothing in ${cacheDirectory}`)
  const java = await findOnPath('java', searchPath)
  if (!java) throw new Error(`cache: ${libraries} needs a program named java on PATH`)
  return { command: java, args: javaArguments(libraries) }
}

function javaArguments(libraries: string): string[] {
  // Smaller and quicker to start than with Java's defaults.
  const sizes = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Xmx256m']
  return [...sizes, '-cp', join(libraries, '*'), 'io.temporal.testserver.TestServer']
}

async function throughSdk(request: FindTestServerRequest): Promise<Command> {
  const { cacheDirectory, onProgress } = request
  onProgress("Downloading Temporal's test server through the Temporal SDK, once: about 60 MB.")
  await mkdir(cacheDirectory, { recursive: true })
  const directory = await mkdtemp(join(cacheDirectory, 'fetching-'))
  try {
    const kind = 'time-skipping'
    const fetched = await downloadThroughSdk({ kind, version: 'default', directory, onProgress })
    await rename(fetched, join(cacheDirectory, 'temporal-test-server'))
  } catch (error) {
    onProgress(`  The download failed: ${inOneLine(error)}.`)
    throw new Error(`download through the Temporal SDK: ${inOneLine(error)}`, { cause: error })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return inCache(request)
}

async function withMaven(request: FindTestServerRequest): Promise<Command> {
  const { cacheDirectory, searchPath, onProgress } = request
  const maven = await findOnPath('mvn', searchPath)
  if (!maven) throw new Error('Maven: no program named mvn on PATH')
  onProgress(
    `Fetching Temporal's test server ${VERSION} with ${maven}, once: about 40 MB, usually under a minute.`,
  )
  const directory = await mkdtemp(join(cacheDirectory, 'fetching-'))
  try {
    await copyJars(maven, directory, onProgress)
    await rename(join(directory, 'lib'), join(cacheDirectory, 'lib'))
  } catch (error) {
    onProgress(`  Maven failed: ${inOneLine(error)}.`)
    throw new Error(`Maven: ${inOneLine(error)}`, { cause: error })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return inCache(request)
}

async function copyJars(
  maven: string,
  directory: string,
  onProgress: (line: string) => void,
): Promise<void> {
  await writeFile(join(directory, 'pom.xml'), POM)
  let downloads = 0
  const tell = setInterval(() => onProgress(`  ${downloads} files downloaded so far`), 10_000)
  try {
    await runCommand({
      command: maven,
      args: [
        '--batch-mode',
        `--file=${join(directory, 'pom.xml')}`,
        'dependency:copy-dependencies',
        `-DoutputDirectory=${join(directory, 'lib')}`,
        '-DincludeScope=runtime',
      ],
      onLine: (line) => {
        if (line.includes('Downloaded from')) downloads += 1
      },
    })
  } finally {
    clearInterval(tell)
  }
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>holdpoint</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

function inOneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.trim().split('\n').slice(0, 3).join(': ')
}
