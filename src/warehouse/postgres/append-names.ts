import type pg from 'pg'
import type { OpenTable, TableSpec } from '../driver.js'
import { versionColumn, versionOf } from './append.js'
import { partsOf, readAt } from './merge.js'
import { id, literal } from './sql.js'

/** Marks a version that has its new cells and not yet its new name; no hash begins so. */
const turning = 'rebuilt '
/** Parts the name of a version from what tells it from its twins; no hash holds it. */
const twin = '/'

/** Keeps loads away until the transaction ends: they may be adding what a version comes to say. */
export async function holdVersions(client: pg.ClientBase, { schema, table }: Pick<TableSpec, 'schema' | 'table'>): Promise<void> {
  await client.query(`LOCK TABLE ${id(schema, table)} IN SHARE ROW EXCLUSIVE MODE`)
}

/** Set beside other cells of a row `t`: it must not be taken for another until it is named. */
export const unnamed = `${versionColumn} = ${literal(turning)} || t.${versionColumn}`

/**
 * Names versions of `append` that have other cells by what they say now, as loading would. Versions may come to say the same, when a column
 * policy leaves out what told them apart: the one that was read first has the name, the others keep their place under names of their own.
 * @param changed what holds the keys of those versions, as SQL
 */
export async function nameVersions(
  client: pg.ClientBase,
  table: OpenTable,
  changed: string,
  values: readonly unknown[] = [],
): Promise<void> {
  const { target, keys, versions } = versionsOf(table, changed)
  await client.query(
    `UPDATE ${target} t SET ${versionColumn} = CASE WHEN v.n = 1 THEN v.said ELSE v.said || ${literal(twin)} || gen_random_uuid() END FROM (
       SELECT *, row_number() OVER (PARTITION BY ${keys}, said ORDER BY is_unnamed OR is_twin, read_at, at) AS n FROM (${versions}) versions) v
     WHERE t.ctid = v.at AND (v.is_unnamed OR (v.is_twin AND v.n = 1))`,
    [...values],
  )
}

/**
 * Takes out versions that were loaded although one that says the same stood under another name, since a value of it was not in its column
 * yet: the one that was read first stays. Those that a column policy made alike are no such versions.
 * @param changed what holds the keys of the versions whose cells moved, as SQL; they are not named yet
 */
export async function dropRepeats(client: pg.ClientBase, table: OpenTable, changed: string, values: readonly unknown[]): Promise<void> {
  const { target, keys, versions } = versionsOf(table, changed)
  await client.query(
    `DELETE FROM ${target} t USING (
       SELECT at, row_number() OVER (PARTITION BY ${keys}, said ORDER BY read_at, at) AS n FROM (${versions}) versions WHERE NOT is_twin) v
     WHERE t.ctid = v.at AND v.n > 1`,
    [...values],
  )
}

/** All versions of the keys in `changed`, with what each says now and when it was read, as SQL. */
function versionsOf({ spec, columns }: OpenTable, changed: string): { target: string; keys: string; versions: string } {
  const { keys } = partsOf(spec, columns)
  const target = id(spec.schema, spec.table)
  const isUnnamed = `starts_with(${versionColumn}, ${literal(turning)})`
  const said = `CASE WHEN ${isUnnamed} THEN ${versionOf(columns)} ELSE split_part(${versionColumn}, ${literal(twin)}, 1) END`
  const versions = `SELECT ctid AS at, ${keys}, ${said} AS said, ${isUnnamed} AS is_unnamed, strpos(${versionColumn}, ${literal(twin)}) > 0 AS is_twin,
      ${readAt()} AS read_at FROM ${target} WHERE (${keys}) IN (SELECT ${keys} FROM ${changed})`
  return { target, keys, versions }
}
