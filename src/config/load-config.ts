import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { register } from 'tsx/esm/api'
import { type Config, type ConfigFile, defineConfig, InvalidConfig } from './define-config.ts'

/**
 * Reads `temporal.config.ts` (or `.js`) and checks it. Throws `InvalidConfig` when there is none at that path, it does
 * not load, or it does not export a configuration.
 */
export async function loadConfig(path: string): Promise<Config> {
  const file = resolve(path)
  if (!existsSync(file)) {
    throw new InvalidConfig(
      `There is no configuration at ${file}, so no action is known. Write one (README shows it), or name another with --config.`,
    )
  }
  if (isCommonJs(file)) {
    throw new InvalidConfig(
      `${file} does not load, so no action is known: it is read as CommonJS, which cannot import Holdpoint. Set "type": "module" in the package.json next to it, or name it temporal.config.mts and give that with --config.`,
    )
  }
  // Node 20 runs no TypeScript by itself.
  const unregister = register()
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: Config | ConfigFile }
    const exported = module.default
    if (!exported) {
      throw new InvalidConfig(
        `${file} has no default export, so no action is known. End it with: export default defineConfig({ … })`,
      )
    }
    return exported.actions instanceof Map
      ? (exported as Config)
      : defineConfig(exported as ConfigFile)
  } catch (cause) {
    if (cause instanceof InvalidConfig) throw cause
    const problem = cause instanceof Error ? cause.message : String(cause)
    throw new InvalidConfig(`${file} does not load, so no action is known: ${problem}`, { cause })
  } finally {
    await unregister()
  }
}

/** As Node decides it; the errors that it gives for our being imported from there differ from version to version. */
function isCommonJs(file: string): boolean {
  if (!/\.[jt]s$/.test(file)) return false
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    const description = join(directory, 'package.json')
    if (existsSync(description)) {
      return !/"type"\s*:\s*"module"/.test(readFileSync(description, 'utf8'))
    }
    if (directory === dirname(directory)) return true
  }
}
