import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { branchRef } from '../../src/domain/branch-ref.ts'
import { postgres, type PostgresOptions } from '../../src/drivers/postgres/driver.ts'
import { identifier } from '../../src/drivers/postgres/sql.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import type { DurableServer } from './servers.ts'
import { withClient } from './with-client.ts'

/** One way to copy a database; `nth` tells the copies of a source apart. */
export interface Way {
  readonly name: string
  /** Whether somebody stays connected to the source meanwhile. */
  readonly inUse: boolean
  copy(source: string, nth: string): Promise<void>
  drop(source: string, nth: string): Promise<void>
}

/** Every way that this server has: the driver's first, then the server's own, then by a dump. */
export function waysOf(server: DurableServer, serverVersion: number): Way[] {
  const ways = [
    byDriver('the driver', server),
    bySql('WAL_LOG', server, { strategy: 'WAL_LOG' }),
    bySql('FILE_COPY', server, { strategy: 'FILE_COPY' }),
  ]
  if (serverVersion >= 18_00_00)
    ways.push(
      byDriver('the driver, clone', server, { strategy: 'clone' }),
      bySql('FILE_COPY, clone', server, { strategy: 'FILE_COPY', method: 'clone' }),
    )
  if (server.tools !== undefined)
    ways.push(
      { ...byDriver('the driver, source in use', server, { sourceWait: '0s' }), inUse: true },
      byDump(server),
    )
  return ways
}

function byDriver(name: string, { url }: DurableServer, options: PostgresOptions = {}): Way {
  const driver = postgres({ server: url, ...options })
  const refOf = (resourceId: string, deploymentId: string) =>
    branchRef({ installationId: 'icfg_1', resourceId, deploymentId, action: 'branch' })
  return {
    name,
    inUse: false,
    copy: (source, nth) => driver.createBranch({ source, ref: refOf(source, nth) }, driverCall()),
    drop: (source, nth) => driver.deleteBranch(refOf(source, nth), driverCall()),
  }
}

function bySql(
  name: string,
  { url }: DurableServer,
  { strategy, method }: { strategy: string; method?: string },
): Way {
  return {
    name,
    inUse: false,
    copy: (source, nth) =>
      withClient(url, async (client) => {
        if (method !== undefined) await client.query(`SET file_copy_method = ${method}`)
        await client.query(
          `CREATE DATABASE ${copyName(nth)} TEMPLATE ${identifier(source)} STRATEGY ${strategy}`,
        )
      }),
    drop: (_source, nth) => dropCopy(url, nth),
  }
}

function byDump({ url, tools = '' }: DurableServer): Way {
  return {
    name: 'pg_dump to psql',
    inUse: true,
    async copy(source, nth) {
      await withClient(url, (client) =>
        client.query(`CREATE DATABASE ${copyName(nth)} TEMPLATE template0`),
      )
      const { hostname, port, username, password } = new URL(url)
      const shell = spawn(
        '/bin/bash',
        [
          '-o',
          'pipefail',
          '-c',
          '"$1/pg_dump" -d "$2" | "$1/psql" -q -v ON_ERROR_STOP=1 -o /dev/null -d "$3"',
          '-',
          tools,
          source,
          `copy_${nth}`,
        ],
        {
          stdio: 'inherit',
          env: {
            PATH: '/usr/bin:/bin',
            PGHOST: hostname,
            PGPORT: port,
            PGUSER: username,
            PGPASSWORD: decodeURIComponent(password),
          },
        },
      )
      const ended: unknown[] = await once(shell, 'exit')
      if (ended[0] !== 0) throw new Error('pg_dump | psql failed')
    },
    drop: (_source, nth) => dropCopy(url, nth),
  }
}

function copyName(nth: string): string {
  return identifier(`copy_${nth}`)
}

async function dropCopy(url: string, nth: string): Promise<void> {
  await withClient(url, (client) => client.query(`DROP DATABASE IF EXISTS ${copyName(nth)}`))
}
