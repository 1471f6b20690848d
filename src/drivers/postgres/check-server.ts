import type { Finding } from '../../domain/finding.ts'
import { hasStrategy, type Strategy } from './choose-strategy.ts'
import type { Connection } from './connection.ts'
import { findClientTools } from './find-client-tools.ts'
import { listBranches } from './list-branches.ts'

/** `DROP DATABASE … WITH (FORCE)` came with it. */
const OLDEST_MAJOR = 13
/** From here on the server stops a copy whose client died; before, a delete waits for such a copy to end. */
const OLDEST_WATCHFUL_MAJOR = 14

/** What an operator should know of a server that can be reached. */
export async function checkServer(
  connection: Connection,
  strategy: Strategy | 'auto',
): Promise<Finding[]> {
  const major = Math.floor(connection.version / 1_00_00)
  return [
    checkVersion(major),
    await checkRights(connection),
    await checkTools(major),
    await checkStrategy(connection, strategy),
    await checkLeftovers(connection),
  ]
}

function checkVersion(major: number): Finding {
  const subject = 'Postgres version'
  if (major < OLDEST_MAJOR)
    return {
      subject,
      level: 'error',
      message: `the server is Postgres ${major}; branches that are in use could not be deleted`,
      fix: `upgrade to Postgres ${OLDEST_WATCHFUL_MAJOR} or later`,
    }
  if (major < OLDEST_WATCHFUL_MAJOR)
    return {
      subject,
      level: 'warning',
      message: `the server is Postgres ${major}, which goes on copying for a worker that died`,
      fix: `upgrade to Postgres ${OLDEST_WATCHFUL_MAJOR} or later`,
    }
  return { subject, level: 'ok', message: `the server is Postgres ${major}` }
}

async function checkRights(connection: Connection): Promise<Finding> {
  const subject = 'Postgres rights'
  const [role] = await connection.query<{
    rolname: string
    rolsuper: boolean
    rolcreatedb: boolean
    rolcreaterole: boolean
  }>(
    `SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user`,
  )
  const name = role?.rolname ?? 'the role'
  if (role?.rolsuper === true) return { subject, level: 'ok', message: `${name} is a superuser` }
  if (role?.rolcreatedb === true && role.rolcreaterole)
    return {
      subject,
      level: 'ok',
      message: `${name} may create databases and roles; it can branch the databases it owns with all that is in them`,
    }
  return {
    subject,
    level: 'error',
    message: `${name} may not create both databases and roles, so no branch can be made`,
    fix: `ALTER ROLE … CREATEDB CREATEROLE, and make it the owner of the resource databases`,
  }
}

async function checkTools(major: number): Promise<Finding> {
  const subject = 'Postgres client tools'
  const tools = await findClientTools(major)
  if (tools !== undefined)
    return {
      subject,
      level: 'ok',
      message: `${tools.dump} (${tools.major}) copies resources that are in use`,
    }
  return {
    subject,
    level: 'warning',
    message: `no pg_dump and pg_restore for Postgres ${major}: a resource that somebody is connected to cannot be branched`,
    fix: `install the package postgresql-client-${major}, or keep the resource databases free of connections`,
  }
}

async function checkStrategy(
  connection: Connection,
  strategy: Strategy | 'auto',
): Promise<Finding> {
  const subject = 'Postgres copies'
  if (strategy !== 'auto') {
    if (hasStrategy(strategy, connection.version))
      return { subject, level: 'ok', message: `resources are copied by '${strategy}'` }
    return {
      subject,
      level: 'error',
      message: `the server has no strategy '${strategy}', so no branch can be made`,
      fix: `set the driver's strategy to 'auto', or upgrade the server`,
    }
  }
  const [row] = await connection.query<{ method: string | null }>(
    `SELECT current_setting('file_copy_method', true) AS method`,
  )
  const advice =
    row?.method === 'copy' ? '; file_copy_method = clone is faster on XFS and Btrfs' : ''
  const how = row?.method === 'clone' ? 'large resources are cloned' : 'resources are copied whole'
  return { subject, level: 'ok', message: `${how}${advice}` }
}

async function checkLeftovers(connection: Connection): Promise<Finding> {
  const subject = 'Postgres branches'
  const branches = await listBranches(connection)
  const incomplete = branches.filter((branch) => !branch.complete).length
  if (incomplete === 0)
    return { subject, level: 'ok', message: `${branches.length} branches, all complete` }
  return {
    subject,
    level: 'warning',
    message: `${incomplete} of ${branches.length} branches are half made or half deleted: at work now, or left over`,
    fix: 'if they stay, let the reconciliation run; it deletes what no deployment needs',
  }
}
