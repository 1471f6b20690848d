import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { type ResourceKey, resourceIdFor } from '../../src/domain/resource-key.ts'
import type { ResourceProvisioning } from '../../src/drivers/driver.ts'
import { postgres } from '../../src/drivers/postgres/driver.ts'
import { identifier } from '../../src/drivers/postgres/sql.ts'
import { driverCall } from '../../src/testing/driver-call.ts'
import { dropSource, newName, sql } from './postgres-under-test.ts'

/** A resource that is not made yet; what stands under its name when the test ends is dropped. `url`: a superuser's. */
export function newResource(url: string): ResourceKey {
  const installationId = 'icfg_1'
  const key = { installationId, resourceId: resourceIdFor(installationId, randomUUID()) }
  onTestFinished(() => dropResourceOf(url, key))
  return key
}

export async function dropResourceOf(url: string, { resourceId }: ResourceKey): Promise<void> {
  await dropSource(url, resourceId)
  const roles = (await standing(url, resourceId)).map((name) => name.replace('role ', ''))
  for (const role of roles.sort((one, other) => other.length - one.length))
    await sql(url, `DROP ROLE ${identifier(role)}`)
}

/** The databases and roles of the server whose names begin so; all of them by default. */
export async function standing(url: string, prefix = ''): Promise<string[]> {
  const rows = await sql<{ name: string }>(
    url,
    `SELECT 'database ' || datname AS name FROM pg_database WHERE starts_with(datname::text, $1)
      UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE starts_with(rolname::text, $1) ORDER BY name`,
    [prefix],
  )
  return rows.map(({ name }) => name)
}

/** What is recorded at the server of roles that are gone: memberships, rights, ownership. */
export async function dangling(url: string): Promise<unknown[]> {
  return await sql(
    url,
    `SELECT FROM pg_auth_members m WHERE NOT EXISTS (SELECT FROM pg_authid WHERE oid = m.roleid)
        OR NOT EXISTS (SELECT FROM pg_authid WHERE oid = m.member)
      UNION ALL SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass
        AND NOT EXISTS (SELECT FROM pg_authid WHERE oid = refobjid)`,
  )
}

/** The part of a driver of this server that makes resources. The driver is closed when the test ends. */
export function resourcesAt(url: string): ResourceProvisioning {
  const driver = postgres({ server: url })
  onTestFinished(() => driver.close())
  if (!driver.resources) throw new Error('the driver makes no resources')
  return driver.resources
}

/** The URL of an administrator who is no superuser; gone when the test ends. `url`: a superuser's. */
export async function ordinaryAdministrator(url: string): Promise<string> {
  const admin = newName()
  await sql(url, `CREATE ROLE ${admin} LOGIN CREATEDB CREATEROLE PASSWORD 'plain'`)
  onTestFinished(async () => {
    await sql(url, `DROP ROLE ${admin}`)
  })
  const adminUrl = new URL(url)
  adminUrl.username = admin
  adminUrl.password = 'plain'
  return adminUrl.href
}

/** Makes a resource, and answers the URL of its first login. */
export async function madeResource(
  resources: ResourceProvisioning,
  key: ResourceKey,
): Promise<string> {
  const { generation } = await resources.createResource({ key }, driverCall())
  return await urlOf(resources, key, generation)
}

export async function urlOf(
  resources: ResourceProvisioning,
  key: ResourceKey,
  generation: number,
): Promise<string> {
  return (await resources.openResource({ key, generation }, driverCall())).url.reveal()
}
