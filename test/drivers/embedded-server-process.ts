import { startEmbeddedPostgres } from '../../src/drivers/postgres/embedded-server.ts'

// A process to be killed: starts or joins the server kept in the directory, tells of it in one line, and stays.
const [directory = ''] = process.argv.slice(2)
const { url, pid, started } = await startEmbeddedPostgres({ directory, onProgress: () => {} })
process.stdout.write(`${JSON.stringify({ url, pid, started })}\n`)
process.stdin.resume()
