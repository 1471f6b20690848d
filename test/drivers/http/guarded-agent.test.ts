import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { request } from 'undici'
import { parseAllowList } from '../../../src/drivers/http/allow-list.ts'
import { guardedAgent, type LookUpAll } from '../../../src/drivers/http/guarded-agent.ts'

/** A server on every address of this machine, which notes each connection. */
let connections: string[]
let port: number

beforeEach(async () => {
  connections = []
  const server: Server = createServer((_request, response) => response.end('reached'))
  server.on('connection', (socket) => connections.push(socket.localAddress ?? ''))
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
})

function agentWith(settings: { allow?: readonly string[]; lookUp?: LookUpAll } = {}) {
  const { allow = [], lookUp } = settings
  const agent = guardedAgent({
    allow: parseAllowList(allow),
    connectTimeoutMs: 2000,
    maxResponseBytes: 1000,
    ...(lookUp && { lookUp }),
  })
  onTestFinished(() => agent.destroy())
  return agent
}

/** Resolves every name to the next of these lists of addresses; the last again and again. */
function resolvingTo(...answers: string[][]) {
  let asked = 0
  const lookUp: LookUpAll = (_hostname, _options, done) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? []
    asked += 1
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return { lookUp, asked: () => asked }
}

async function reach(dispatcher: ReturnType<typeof agentWith>, host: string): Promise<string> {
  const { body } = await request(`http://${host}:${port}/`, { dispatcher })
  return await body.text()
}

const refused = { name: 'ActionFailure', code: 'address_refused' }

describe('nothing is sent to', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '2130706433',
    '017700000001',
    '0.0.0.0',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fe80::1]',
    '169.254.169.254',
    '10.0.0.1',
    '192.168.0.1',
    '100.64.0.1',
    '224.0.0.1',
  ])('http://%s', async (host) => {
    await expect(reach(agentWith(), host)).rejects.toMatchObject(refused)
    expect(connections).toEqual([])
  })

  test('localhost by its real resolution', async () => {
    await expect(reach(agentWith(), 'localhost')).rejects.toMatchObject(refused)
    expect(connections).toEqual([])
  })

  test.each([
    [['127.0.0.1']],
    [['::1']],
    [['::ffff:127.0.0.1']],
    [['169.254.169.254']],
    [['8.8.8.8', '127.0.0.1']],
    [['127.0.0.1', '8.8.8.8']],
  ])('a name that resolves to %j', async (addresses) => {
    const { lookUp } = resolvingTo(addresses)
    await expect(reach(agentWith({ lookUp }), 'provider.test')).rejects.toMatchObject(refused)
    expect(connections).toEqual([])
  })

  test('a host with its user in front, which is another host', async () => {
    const target = request(`http://8.8.8.8@127.0.0.1:${port}/`, { dispatcher: agentWith() })
    await expect(target).rejects.toThrow()
    expect(connections).toEqual([])
  })

  test('another port or another name of what is allowed', async () => {
    const { lookUp } = resolvingTo(['127.0.0.1'])
    const agent = agentWith({ allow: [`provider.test:${port + 1}`, `other.test:${port}`], lookUp })
    await expect(reach(agent, 'provider.test')).rejects.toMatchObject(refused)
    expect(connections).toEqual([])
  })
})

test('a connection goes to the address that was looked at, and no name is resolved twice for it', async () => {
  const { lookUp, asked } = resolvingTo(['127.0.0.2'], ['127.0.0.1'])
  const agent = agentWith({ allow: ['127.0.0.2/32'], lookUp })
  expect(await reach(agent, 'provider.test')).toBe('reached')
  expect(asked()).toBe(1)
  expect(connections).toEqual(['127.0.0.2'])
})

test('a name that resolves to another address for the next connection is refused then', async () => {
  const { lookUp, asked } = resolvingTo(['127.0.0.2'], ['127.0.0.1'])
  const allow = ['127.0.0.2/32']
  expect(await reach(agentWith({ allow, lookUp }), 'provider.test')).toBe('reached')
  await expect(reach(agentWith({ allow, lookUp }), 'provider.test')).rejects.toMatchObject(refused)
  expect(asked()).toBe(2)
  expect(connections).toEqual(['127.0.0.2'])
})

test.each([
  ['an address with its port', '127.0.0.1', (port: number) => [`127.0.0.1:${port}`]],
  ['a name with its port', 'localhost', (port: number) => [`LOCALHOST:${port}`]],
  ['a range', '127.0.0.1', () => ['127.0.0.0/8']],
  ['a range, for a name in it', 'localhost', () => ['127.0.0.0/8', '::1/128']],
])('what the list allows is reached: %s', async (_what, host, allow) => {
  expect(await reach(agentWith({ allow: allow(port) }), host)).toBe('reached')
})

test('a name that cannot be resolved is told as such', async () => {
  const lookUp: LookUpAll = (_hostname, _options, done) =>
    done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
  const failing = reach(agentWith({ lookUp }), 'provider.test')
  await expect(failing).rejects.toMatchObject({ code: 'ENOTFOUND' })
})
