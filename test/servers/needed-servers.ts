import { readFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import type { ProvidedContext } from 'vitest'

export type ServerName = keyof ProvidedContext

/** The words in a test file by which it asks for a server. */
const WORDS: Record<ServerName, RegExp> = {
  devServer: /\bdevServer(Environment)?\b/,
  timeSkippingServers: /\btimeSkippingEnvironment\b/,
  postgresUrls: /\bownPostgresUrl\b/,
  workflowBundle: /\b(workflowBundle|devServerEnvironment|timeSkippingEnvironment)\b/,
  compiledHoldpoint: /'compiledHoldpoint'/,
  cliPath: /'cliPath'/,
}

/**
 * The servers that these test files name, or the files of `test/` that they import. A word in a comment counts too:
 * the price is a server too many, never one too few.
 */
export async function neededServers(testFiles: readonly string[]): Promise<Set<ServerName>> {
  const texts = [...(await withImports(testFiles)).values()]
  const names = Object.keys(WORDS) as ServerName[]
  return new Set(names.filter((name) => texts.some((text) => WORDS[name].test(text))))
}

async function withImports(files: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  const waiting = [...files]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (texts.has(file)) continue
    const text = await readFile(file, 'utf8')
    texts.set(file, text)
    waiting.push(...testImports(file, text))
  }
  return texts
}

// Not those of this directory, which name all servers.
function testImports(file: string, text: string): string[] {
  return [...text.matchAll(/from '(\.[^']+)'/g)]
    .map(([, path = '']) => join(dirname(file), path))
    .filter((path) => path.includes(`${sep}test${sep}`) && dirname(path) !== import.meta.dirname)
}
