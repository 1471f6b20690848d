import { join } from 'node:path'
import { startDevServer } from '../../src/temporal/dev-server.ts'

// Started as a process of its own, to be killed: says the server's process id and stays.
const [cliPath = '', directory = ''] = process.argv.slice(2)
const server = await startDevServer({
  cliPath,
  directory,
  logFile: join(directory, 'temporal.log'),
})
process.stdout.write(`${server.pid}\n`)
setInterval(() => {}, 60_000)
