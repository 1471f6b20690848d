import type { Connection } from './connection.ts'
import { identifier } from './sql.ts'

/**
 * Makes the role the owner of every object in the connected database, so that migrations run as it can change all
 * of them. Left alone: what belongs to an extension or to Postgres itself, and what only a superuser may own.
 *
 * `REASSIGN OWNED` is no choice: it would also hand over the source database and whatever else the source's owner
 * has that is shared by all databases.
 */
export async function giveObjectsTo(connection: Connection, role: string): Promise<void> {
  const objects = await connection.query<{ type: string; identity: string }>(FOREIGN_OBJECTS, [
    role,
  ])
  const statements = objects.map(
    ({ type, identity }) => `ALTER ${keyword(type)} ${identity} OWNER TO ${identifier(role)}`,
  )
  for (let done = 0; done < statements.length; done += STATEMENTS_AT_ONCE)
    await connection.query(statements.slice(done, done + STATEMENTS_AT_ONCE).join(';\n'))
}

const STATEMENTS_AT_ONCE = 500

// Object identifiers below are Postgres's own, but for the schema `public`, which initdb makes, and for large
// objects, whose numbers are free to choose.
const FIRST_USER_OBJECT = 16_384

// Schemas come first: to take a table, a role needs CREATE on its schema. A sequence of a column, an index, a row
// type and a toast table follow their table, a multirange its range. `public` of Postgres 15 and later belongs to
// the role `pg_database_owner`, which is whoever owns the database.
const FOREIGN_OBJECTS = `
  WITH objects (catalog, oid, owner, place) AS (
    SELECT 'pg_namespace'::regclass, oid, nspowner, 1 FROM pg_namespace
      WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
        AND nspowner <> coalesce((SELECT oid FROM pg_roles WHERE rolname = 'pg_database_owner'), 0)
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, c.relowner, 2 FROM pg_class c
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass
          AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
          AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, t.typowner, 2 FROM pg_type t
      WHERE t.typtype IN ('b', 'c', 'd', 'e', 'r')
        AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)
        AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
    UNION ALL SELECT 'pg_proc'::regclass, oid, proowner, 2 FROM pg_proc
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner, 2 FROM pg_operator
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner, 2 FROM pg_opfamily
    UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner, 2 FROM pg_opclass
    UNION ALL SELECT 'pg_collation'::regclass, oid, collowner, 2 FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid, conowner, 2 FROM pg_conversion
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner, 2 FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner, 2 FROM pg_ts_config
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner, 2 FROM pg_statistic_ext
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner, 2 FROM pg_foreign_server
    UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner, 2 FROM pg_largeobject_metadata
  )
  SELECT found.type, found.identity
    FROM objects CROSS JOIN LATERAL pg_identify_object(objects.catalog, objects.oid, 0) AS found
    WHERE objects.owner <> (SELECT oid FROM pg_roles WHERE rolname = $1)
      AND (objects.oid >= ${FIRST_USER_OBJECT} OR objects.catalog = 'pg_largeobject'::regclass
        OR objects.place = 1 AND found.identity = 'public')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = objects.catalog
        AND d.objid = objects.oid AND d.deptype = 'e')
    ORDER BY objects.place, objects.oid`

function keyword(type: string): string {
  return type === 'statistics object' ? 'STATISTICS' : type.toUpperCase()
}
