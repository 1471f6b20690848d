import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { answerError } from './answer-error.ts'
import { controlRoutes } from './control-routes.ts'
import { createSimulation } from './create-simulation.ts'
import type { Simulator, SimulatorOptions } from './simulator.ts'
import { vercelApi } from './vercel-api.ts'

/** Starts a local Vercel. Resolves when it listens; rejects when the port is taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { controls, api } = createSimulation(options)
  const app = new Hono()
  app.route('/', vercelApi(api))
  app.route('/', controlRoutes(controls))
  app.notFound((c) =>
    answerError(c, 404, {
      code: 'not_found',
      message: `No route for ${c.req.method} ${c.req.path}`,
    }),
  )
  app.onError((error, c) => {
    if ('getResponse' in error) return error.getResponse()
    return answerError(c, 500, { code: 'internal_server_error', message: error.message })
  })
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const server = createServer((request, response) => void answer(request, response))
  const url = await listen(server, options.port ?? 0, options.host ?? '127.0.0.1')
  const closeControls = controls.close
  return Object.assign(controls, {
    url,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await Promise.all([closed, closeControls()])
    },
  })
}

async function listen(server: Server, port: number, host: string): Promise<string> {
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null)
    throw new Error(`The simulator listens on ${String(address)}, which is not a TCP port`)
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}
