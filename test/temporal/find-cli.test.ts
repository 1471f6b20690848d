import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  cliCacheDirectory,
  type FindCliRequest,
  findTemporalCli,
} from '../../src/temporal/find-cli.ts'

// The programs are small shell scripts: a CLI is whatever answers `--version` as the CLI does.
const CLI = 'echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"'

let place: string
let cache: string
let progress: string[]

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'holdpoint-find-cli-'))
  cache = join(place, 'cache')
  progress = []
})

afterEach(() => rm(place, { recursive: true, force: true }))

describe('search order', () => {
  test('the program that TEMPORAL_CLI_PATH names is taken before any other', async () => {
    const given = await program('given/my-temporal', CLI)
    await program('bin/temporal', CLI)
    await program('cache/temporal', CLI)
    expect(await find({ cliPath: given })).toBe(given)
  })

  test('a CLI on PATH is taken before the cache', async () => {
    const onPath = await program('bin/temporal', CLI)
    await program('cache/temporal', CLI)
    expect(await find()).toBe(onPath)
  })

  test('the cache is taken before anything is fetched, and without a word', async () => {
    const cached = await program('cache/temporal', CLI)
    expect(await find({ download: unexpected })).toBe(cached)
    expect(progress).toEqual([])
  })

  test('a program named temporal that is no CLI is passed over', async () => {
    await program('bin/temporal', 'echo "a poem of time"')
    const cached = await program('cache/temporal', CLI)
    expect(await find()).toBe(cached)
  })

  test('what cannot run in the cache, a half file say, is fetched anew', async () => {
    await program('cache/temporal', 'exit 126')
    const found = await find({ download: downloadOf(CLI) })
    expect(await find({ download: unexpected })).toBe(found)
  })
})

describe('fetching', () => {
  test('a download is kept in the cache, so the second search fetches nothing', async () => {
    const found = await find({ download: downloadOf(CLI) })
    expect(found).toBe(join(cache, 'temporal'))
    expect(await find({ download: unexpected })).toBe(found)
    expect(progress.join('\n')).toContain('Downloading the Temporal CLI 1.5.1')
  })

  test('where the download is refused, Go builds the CLI, and both are told', async () => {
    await program('bin/go', buildOf(CLI))
    expect(await find()).toBe(join(cache, 'temporal'))
    expect(progress).toEqual([
      expect.stringContaining('Downloading'),
      expect.stringContaining('The download failed: the host is not known'),
      expect.stringMatching(/^Building .* 2\.5 minutes .* because/),
      expect.stringContaining(`kept in ${cache}`),
    ])
  })

  test('a download that does not run never reaches the cache', async () => {
    await program('bin/go', buildOf(CLI))
    await find({ download: downloadOf('echo broken; exit 1') })
    expect(progress).toContainEqual(expect.stringContaining('The download failed: exited with'))
  })

  test('processes that fetch at the same time all get a whole program and leave nothing else', async () => {
    await program('bin/go', buildOf(CLI))
    const found = await Promise.all([find(), find(), find({ download: downloadOf(CLI) })])
    expect(new Set(found)).toEqual(new Set([join(cache, 'temporal')]))
    expect(await readdir(cache)).toEqual(['temporal'])
  })
})

describe('errors', () => {
  test('TEMPORAL_CLI_PATH that names nothing is an error, not a reason to look elsewhere', async () => {
    await program('bin/temporal', CLI)
    const given = join(place, 'nowhere/temporal')
    const message = await failure({ cliPath: given })
    expect(message).toContain(`TEMPORAL_CLI_PATH is ${JSON.stringify(given)}`)
    expect(message).toContain('there is no such program')
    expect(message).toContain('unset TEMPORAL_CLI_PATH')
  })

  test('TEMPORAL_CLI_PATH that names another program says what that program answered', async () => {
    const given = await program('given/python', 'echo "Python 3.14"')
    expect(await failure({ cliPath: given })).toContain('its --version says "Python 3.14"')
  })

  test('when every way fails, each is listed with its reason, and then what to do', async () => {
    await program('bin/go', 'echo "go: no route to the module proxy" >&2; exit 1')
    expect((await failure()).split('\n')).toEqual([
      'There is no Temporal CLI on this machine, and none could be fetched.',
      expect.stringContaining('TEMPORAL_ADDRESS names none'),
      '  - PATH: no program named temporal',
      `  - cache: nothing in ${cache}`,
      '  - download through the Temporal SDK: the host is not known',
      '  - go install: exited with code 1: go: no route to the module proxy',
      expect.stringMatching(/^Install it .* TEMPORAL_CLI_PATH .* TEMPORAL_ADDRESS/),
    ])
  })

  test('without Go the list says so', async () => {
    expect(await failure()).toContain('  - go install: no program named go on PATH')
  })
})

test('the cache is the user’s own and named after the release', () => {
  expect(cliCacheDirectory('/var/cache/me')).toBe('/var/cache/me/holdpoint/temporal-cli-1.5.1')
  expect(cliCacheDirectory(undefined)).toBe(join(homedir(), '.cache/holdpoint/temporal-cli-1.5.1'))
})

function find(request: Partial<FindCliRequest> = {}): Promise<string> {
  return findTemporalCli({
    searchPath: join(place, 'bin'),
    cacheDirectory: cache,
    onProgress: (line) => progress.push(line),
    download: () => Promise.reject(new Error('the host is not known')),
    ...request,
  })
}

function failure(request: Partial<FindCliRequest> = {}): Promise<string> {
  return find(request).then(
    () => 'found',
    (error: Error) => error.message,
  )
}

async function program(path: string, script: string): Promise<string> {
  const file = join(place, path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
  return file
}

function downloadOf(script: string): NonNullable<FindCliRequest['download']> {
  return async ({ directory }) => {
    const file = join(directory, 'temporal-sdk-typescript')
    await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    return file
  }
}

/** A `go` whose `install` puts a program into GOBIN, as the real one does. */
function buildOf(script: string): string {
  return `printf '#!/bin/sh\\n%s\\n' '${script}' > "$GOBIN/temporal" && chmod 755 "$GOBIN/temporal"`
}

function unexpected(): Promise<string> {
  throw new Error('nothing should be downloaded')
}
