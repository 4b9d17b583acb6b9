import { type Column, columnFor } from '../../schema/encode.js'
import type { TableSpec } from '../driver.js'
import { ageOf, differs, partsOf, saying } from './merge.js'
import { type IdentityColumn, id } from './sql.js'

/** From when a version of a row held, until when, and whether it still does. */
export const historyColumns: readonly IdentityColumn[] = [
  { name: '_weir_valid_from', type: 'timestamptz', isRequired: true },
  { name: '_weir_valid_to', type: 'timestamptz', isRequired: false },
  { name: '_weir_is_current', type: 'boolean', isRequired: true },
]

/** How old a version says that it is: its cursor or its deletion, whichever is later. NULL where it says neither. */
function age(spec: TableSpec, columns: readonly Column[]): string {
  const cursor = columnFor(columns, spec.cursor)
  return cursor?.type === 'timestamp' ? ageOf(cursor, id(cursor.name), '_weir_deleted_at') : '_weir_deleted_at'
}

/** What `placed` wants to know of a version beside the columns of its row: since when it stands, if it does; when it was read; and what orders those read at once. */
interface Source {
  from: string
  held?: string
  seen: string
  line?: string
}

/**
 * Versions of rows, each with the instant since which it holds; those that say what the one before them says are left out, unless
 * they stand. The version of an age that was read first holds since then, whichever came first; a further one, a change that did not
 * move the cursor, since it was seen, but never beyond a version of a newer age. A deletion is the last of its age. Of two that would
 * begin at once the later one begins a microsecond behind.
 */
export function placed(spec: TableSpec, columns: readonly Column[], sources: readonly Source[]): string {
  const { all, keys } = partsOf(spec, columns)
  const found = sources.map(
    ({ from, seen, held = 'NULL', line = 'NULL' }) =>
      `SELECT ${all}, _weir_run_id, _weir_loaded_at, _weir_deleted_at, ${seen}::timestamptz AS _weir_seen_at, ${held}::timestamptz AS _weir_held, ${line} AS _weir_place FROM ${from}`,
  )
  const micro = `interval '1 microsecond'`
  const first = 'row_number() OVER (same ORDER BY _weir_seen_at NULLS FIRST, _weir_held, _weir_place) = 1'
  const further = 'CASE WHEN _weir_held > _weir_age THEN _weir_held ELSE greatest(_weir_age, _weir_seen_at) END'
  const windows = `WINDOW versions AS (PARTITION BY ${keys} ORDER BY _weir_age, _weir_deleted_at IS NOT NULL, _weir_at, _weir_held, _weir_place),
    ages AS (PARTITION BY ${keys} ORDER BY _weir_age, _weir_deleted_at IS NOT NULL)`
  const nextAge = 'min(_weir_age) OVER (ages GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)'
  return `SELECT *, max(_weir_earliest - _weir_n * ${micro}) OVER (PARTITION BY ${keys} ORDER BY _weir_n) + _weir_n * ${micro} AS _weir_since FROM (
      SELECT *, row_number() OVER versions AS _weir_n, greatest(_weir_age, least(_weir_at, ${nextAge} - ${micro})) AS _weir_earliest FROM (
        SELECT *, row_number() OVER versions > 1 AND lag(_weir_said) OVER versions IS NOT DISTINCT FROM _weir_said AS _weir_is_said FROM (
          SELECT *, ROW(${saying(spec, columns)}) AS _weir_said, CASE WHEN ${first} THEN coalesce(_weir_held, _weir_age) ELSE ${further} END AS _weir_at
            FROM (SELECT *, coalesce(${age(spec, columns)}, _weir_held, _weir_seen_at) AS _weir_age FROM (${found.join(' UNION ALL ')}) found) aged
          WINDOW same AS (PARTITION BY ${keys}, _weir_age, _weir_deleted_at IS NULL)) dated
        ${windows}) compared
      WHERE _weir_held IS NOT NULL OR NOT _weir_is_said ${windows}) numbered`
}

/**
 * Every version of a row with its time (slowly changing dimension, type 2); what is read again changes nothing. Of several states
 * of a row under one age in one batch the last one may be new again, the others only if they never stood. The caller holds the
 * table's lock: of two transactions at once each would miss the other's versions. The first statement answers with a row a new version.
 */
export function historyStatements(spec: TableSpec, columns: readonly Column[]): string[] {
  const { all, keys, key, own, ownValues } = partsOf(spec, columns)
  const target = id(spec.schema, spec.table)
  const same = key.map((name) => `t.${id(name)} = n.${id(name)}`).join(' AND ')
  const inBatch = `(${keys}) IN (SELECT ${keys} FROM weir_batch)`
  const batch = `(SELECT ${all}, _weir_line, ${ownValues.map((value, i) => `${value} AS ${own[i]}`).join(', ')} FROM weir_batch) b`
  const isLast = `lead(_weir_line) OVER (PARTITION BY ${keys}, ${age(spec, columns)}, _weir_deleted_at IS NULL ORDER BY _weir_seen_at, _weir_line) IS NULL`
  const stand: Source = { from: `${target} WHERE ${inBatch}`, held: '_weir_valid_from', seen: '_weir_seen_at' }
  const come: Source = {
    from: `(SELECT *, ${isLast} AS _weir_is_last FROM ${batch}) n
      WHERE NOT EXISTS (SELECT 1 FROM ${target} t WHERE ${same} AND NOT ${differs(spec, columns, 'n')}
        AND (NOT _weir_is_last OR t._weir_seen_at > n._weir_seen_at))`,
    seen: '_weir_seen_at',
    line: '_weir_line',
  }
  // What makes room is written anew, since a key may not stand twice even for a moment: `made` is counted before anything is put.
  const put = `WITH n AS MATERIALIZED (${placed(spec, columns, [stand, come])}),
    moved AS (DELETE FROM ${target} t USING n WHERE ${same} AND t._weir_valid_from = n._weir_held AND n._weir_since <> n._weir_held RETURNING 1),
    put AS (INSERT INTO ${target} (${all}, ${own.join(', ')}, _weir_valid_from, _weir_is_current)
      SELECT ${all}, ${own.join(', ')}, _weir_since, true FROM n, (SELECT count(*) FROM moved) made WHERE _weir_held IS DISTINCT FROM _weir_since)
    SELECT FROM n WHERE _weir_held IS NULL`
  return [put, linkStatement(spec, columns, inBatch)]
}

/** Gives every version of the rows that `where` chooses the end that its successor begins with. */
export function linkStatement(spec: TableSpec, columns: readonly Column[], where: string): string {
  const { keys, key } = partsOf(spec, columns)
  const target = id(spec.schema, spec.table)
  const same = key.map((name) => `t.${id(name)} = v.${id(name)}`).join(' AND ')
  return `UPDATE ${target} t SET _weir_valid_to = v.next, _weir_is_current = v.next IS NULL FROM (
      SELECT ${keys}, _weir_valid_from, lead(_weir_valid_from) OVER (PARTITION BY ${keys} ORDER BY _weir_valid_from) AS next
        FROM ${target} WHERE ${where}) v
    WHERE ${same} AND t._weir_valid_from = v._weir_valid_from
      AND (t._weir_valid_to IS DISTINCT FROM v.next OR t._weir_is_current IS DISTINCT FROM (v.next IS NULL))`
}
