import { loadConfig } from '../../src/config/load-config.ts'

// Loads each configuration that is named, as the command line does, and prints what became of it.
const results: Record<string, unknown> = {}
for (const path of process.argv.slice(2)) {
  results[path] = await loadConfig(path).then(
    ({ taskQueue, actions }) => ({ taskQueue, actions: [...actions.keys()] }),
    (error: Error) => ({ error: error.name, message: error.message }),
  )
}
process.stdout.write(JSON.stringify(results))
process.exit()
