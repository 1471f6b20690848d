import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ProvidedContext } from 'vitest'
import type { TestProject } from 'vitest/node'
import './provided-context.ts'
import { neededServers, type ServerName } from './needed-servers.ts'
import { quickDirectory } from './quick-directory.ts'

/** Starts, side by side, the servers that the test files of this run name, and provides where they are. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const files = await testFilesOf(project)
  const needed = await neededServers(files)
  const workers = Math.min(project.config.maxWorkers ?? 1, files.length)
  const directory = await mkdtemp(join(await quickDirectory(), 'holdpoint-test-'))
  // Postgres, which root runs as another user, must get in.
  await chmod(directory, 0o755)
  const stops: (() => Promise<void>)[] = []
  // Ctrl-C ends vitest without the teardown below. The servers end by themselves.
  const dropDirectory = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', dropDirectory)

  const cliPath = once(findCli)
  const starts: { [Name in ServerName]: () => Promise<ProvidedContext[Name]> } = {
    cliPath,
    devServer: async () => {
      const { startDevServer } = await import('../../src/temporal/dev-server.ts')
      const server = await startDevServer({
        cliPath: await cliPath(),
        logFile: join(directory, 'dev-server.log'),
        onExit: (detail) => tell(`The dev server of the tests ${detail}.`),
      })
      stops.push(() => server.stop())
      return { address: server.address, uiUrl: server.uiUrl }
    },
    timeSkippingServers: async () => {
      const { startTimeSkippingServer } = await import('./time-skipping-server.ts')
      const request = {
        serverPath: process.env['TEMPORAL_TEST_SERVER_PATH'],
        searchPath: process.env['PATH'] ?? '',
        cacheDirectory: join(
          process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
          'holdpoint',
        ),
        onProgress: tell,
      }
      // The first one may have to fetch it.
      return inTurn(workers, async (worker) => {
        const logFile = join(directory, `time-skipping-server-${worker}.log`)
        const server = await startTimeSkippingServer({ ...request, logFile })
        stops.push(() => server.stop())
        return { address: server.address }
      })
    },
    postgresUrls: async () => {
      const { startEmbeddedPostgres } =
        await import('../../src/drivers/postgres/embedded-server.ts')
      return inTurn(workers, async (worker) => {
        const home = join(directory, `postgres-${worker}`)
        await mkdir(home)
        const server = await startEmbeddedPostgres({
          directory: home,
          ephemeral: true,
          onProgress: () => {},
        })
        stops.push(() => server.stop())
        return server.url
      })
    },
    workflowBundle: () => bundleWorkflows(join(directory, 'workflow-bundle.js')),
    compiledHoldpoint: () => compileHoldpoint(join(directory, 'holdpoint')),
  }

  const provide = async <Name extends ServerName>(
    name: Name,
    start: () => Promise<ProvidedContext[Name]>,
  ) => {
    try {
      project.provide(name, await start())
    } catch (error) {
      // The tests that need it fail, the others need not.
      tell(`\n${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  }
  await Promise.all([...needed].map((name) => provide(name, starts[name])))

  return async () => {
    await Promise.all(stops.map((stop) => stop()))
    process.off('exit', dropDirectory)
    dropDirectory()
  }
}

async function testFilesOf(project: TestProject): Promise<string[]> {
  // What was given on the command line. Should it no longer be there, all servers are started.
  const { filenamePattern } = project.vitest as unknown as { filenamePattern?: string[] }
  const specifications = await project.vitest.globTestSpecifications(filenamePattern)
  return specifications.map((specification) => specification.moduleId)
}

async function findCli(): Promise<string> {
  const { cliCacheDirectory, findTemporalCli } = await import('../../src/temporal/find-cli.ts')
  return findTemporalCli({
    cliPath: process.env['TEMPORAL_CLI_PATH'],
    searchPath: process.env['PATH'] ?? '',
    cacheDirectory: cliCacheDirectory(process.env['XDG_CACHE_HOME']),
    onProgress: tell,
  })
}

async function bundleWorkflows(file: string): Promise<string> {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker')
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(import.meta.dirname, '../../workflows/index.ts'),
    logger: new DefaultLogger('WARN'),
  })
  await writeFile(file, code)
  return file
}

async function compileHoldpoint(directory: string): Promise<string> {
  const root = join(import.meta.dirname, '../..')
  await mkdir(directory)
  await Promise.all([
    promisify(execFile)(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(root, 'tsconfig.build.json'),
      '--outDir',
      join(directory, 'dist'),
    ]),
    copyFile(join(root, 'package.json'), join(directory, 'package.json')),
    symlink(join(root, 'node_modules'), join(directory, 'node_modules')),
  ])
  return directory
}

/** Makes one for each worker, one after the other. */
async function inTurn<T>(workers: number, make: (worker: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  while (made.length < workers) made.push(await make(made.length))
  return made
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}
