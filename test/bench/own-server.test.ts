import { expect, test } from 'vitest'
import { readOwnServer } from '../../bench/systems/own-server.ts'

const TEMPORAL_ADDRESS = '127.0.0.1:17233'
/** Above any that Linux gives out. */
const NOBODY = String(2 ** 22 + 1)

test('a server of your own is one that TEMPORAL_ADDRESS names, with the namespace default', async () => {
  await expect(readOwnServer({})).rejects.toThrow('No TEMPORAL_ADDRESS is set')
  expect(await readOwnServer({ TEMPORAL_ADDRESS })).toEqual({
    temporal: { address: TEMPORAL_ADDRESS, namespace: 'default' },
  })
})

test('its processes are those that the environment tells', async () => {
  const told = await readOwnServer({
    TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE: 'bench',
    TEMPORAL_SERVER_PID: String(process.pid),
    TEMPORAL_DATABASE_PID: String(process.ppid),
  })
  expect(told).toEqual({
    temporal: { address: TEMPORAL_ADDRESS, namespace: 'bench' },
    server: { pid: process.pid },
    database: { pid: process.ppid },
  })
})

test.each([NOBODY, 'postgres', '0'])(
  'a process %s that does not run is refused, and not measured as one that uses nothing',
  async (pid) => {
    for (const name of ['TEMPORAL_SERVER_PID', 'TEMPORAL_DATABASE_PID']) {
      await expect(readOwnServer({ TEMPORAL_ADDRESS, [name]: pid })).rejects.toThrow(
        `${name} is ${pid}, and no such process runs`,
      )
    }
  },
)
