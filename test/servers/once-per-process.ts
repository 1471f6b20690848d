/**
 * Runs `action` the first time this process asks for `name`. A variable would not do: each test file gets its own
 * copy of our modules, though all share one process.
 */
export async function oncePerProcess(name: string, action: () => void | Promise<void>) {
  const key = Symbol.for(`holdpoint.test.${name}`)
  const done = globalThis as { [key: symbol]: boolean }
  if (done[key]) return
  done[key] = true
  await action()
}
