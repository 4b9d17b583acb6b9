/** Schema changes that people look at and decide on. */
import type pg from 'pg'
import { ExactNumber, type FieldType } from '../../core/types.js'
import { encoders } from '../../schema/cells.js'
import { columnFor } from '../../schema/encode.js'
import { plain } from '../../schema/lines.js'
import type { ChangeRow, Warehouse } from '../driver.js'
import { dropRepeats, holdVersions, nameVersions, unnamed } from './append-names.js'
import type { Append } from './audit.js'
import { transaction } from './pool.js'
import { openRuns } from './runs.js'
import { id, sqlType } from './sql.js'
import { decidable } from './words.js'

const fillRows = 2_000

export const changeOf = (row: Record<string, unknown>): ChangeRow => {
  const text = (key: string, name: string) => (row[name] === null ? {} : { [key]: String(row[name]) })
  return {
    id: Number(row.id),
    sync: String(row.sync),
    stream: String(row.stream),
    schema: String(row.table_schema),
    table: String(row.table_name),
    change: String(row.change),
    status: row.status as ChangeRow['status'],
    createdAt: (row.created_at as Date).toISOString(),
    ...text('field', 'field'),
    ...text('variant', 'variant'),
    ...text('column', 'column_name'),
    ...text('type', 'type'),
    ...text('run', 'run_id'),
    ...text('decidedBy', 'decided_by'),
    ...(row.decided_at === null ? {} : { decidedAt: (row.decided_at as Date).toISOString() }),
    ...(row.filled === null ? {} : { filled: Number(row.filled) }),
  }
}

export function createChanges(pool: pg.Pool, append: Append): Warehouse['changes'] {
  return {
    async hold(ref, spec, fields, status) {
      await pool.query(
        `INSERT INTO _weir.schema_changes (sync, stream, table_schema, table_name, change, field, variant, type, run_id, status)
         SELECT $1, $2, $3, $4, 'field_new', f->>'field', f->>'variant', f->>'type', $5, $6 FROM jsonb_array_elements($7::jsonb) WITH ORDINALITY AS wanted (f, place)
          WHERE NOT EXISTS (SELECT 1 FROM _weir.schema_changes c WHERE c.table_schema = $3 AND c.table_name = $4 AND c.field = f->>'field'
            AND c.variant IS NOT DISTINCT FROM f->>'variant' AND c.status = 'approved' AND c.filled IS NULL) ORDER BY place
         ON CONFLICT (table_schema, table_name, field, coalesce(variant, '')) WHERE status IN ${decidable} DO NOTHING`,
        [ref.sync, ref.stream, spec.schema, spec.table, ref.run, status, JSON.stringify([...fields.values()])],
      )
    },

    note: (ref, spec, change, fields) => note(pool, ref, spec, change, fields),

    async seen(ref, spec, carried, absent) {
      const { rows } = await pool.query<{ seen: string[] }>('SELECT seen FROM _weir.catalogs WHERE sync = $1 AND stream = $2', [
        ref.sync,
        ref.stream,
      ])
      const before = new Set(rows[0]?.seen ?? [])
      const gone = absent.filter((field) => before.has(field))
      const added = carried.filter((field) => !before.has(field))
      if (gone.length > 0) await note(pool, ref, spec, 'field_gone', gone)
      if (gone.length === 0 && added.length === 0) return
      const back = added.length === 0 ? [] : await goneBefore(pool, spec.schema, spec.table, added)
      if (back.length > 0) await note(pool, ref, spec, 'field_back', back)
      const now = [...before, ...added].filter((field) => !gone.includes(field))
      await pool.query(
        `INSERT INTO _weir.catalogs (sync, stream, fields, seen) VALUES ($1, $2, '{}', $3) ON CONFLICT (sync, stream) DO UPDATE SET seen = excluded.seen`,
        [ref.sync, ref.stream, JSON.stringify(now)],
      )
    },

    async list({ sync, stream, status, ids, run, limit = 1000 }) {
      const { rows } = await pool.query(
        `SELECT * FROM _weir.schema_changes WHERE ($1::text IS NULL OR sync = $1) AND ($2::text IS NULL OR stream = $2)
            AND ($3::text[] IS NULL OR status = ANY($3)) AND ($4::bigint[] IS NULL OR id = ANY($4)) AND ($5::text IS NULL OR run_id = $5) ORDER BY id DESC LIMIT $6`,
        [sync ?? null, stream ?? null, status ?? null, ids ?? null, run ?? null, limit],
      )
      return rows.map(changeOf)
    },

    async waiting({ schema, table, field, variant }) {
      const { rows } = await pool.query<{ n: string }>(
        `SELECT count(*) AS n FROM ${id(schema, table)} WHERE _weir_extra ? $1 AND ${isOfType(variant)}`,
        [field ?? ''],
      )
      return Number(rows[0]!.n)
    },

    decide: (change, decision, by) =>
      transaction(pool, 'Deciding a schema change', async (client) => {
        const { rows } = await client.query(
          `UPDATE _weir.schema_changes SET status = $2, decided_by = $3, decided_at = now()
           WHERE id = $1 AND status IN ${decidable} AND status <> $2 RETURNING *`,
          [change, decision, by],
        )
        if (!rows[0]) return false
        const { sync, stream, schema, table, field, variant } = changeOf(rows[0])
        await append(client, { event: `schema_change_${decision}`, by, detail: { change, sync, stream, schema, table, field, variant } })
        return true
      }),

    async fill(change, table, after) {
      const { columns, spec } = table
      const column = columnFor(columns, change.field, change.variant)
      if (!column) return { filled: 0 }
      const own = change.variant === undefined ? undefined : columnFor(columns, change.field)
      const target = id(change.schema, change.table)
      return transaction(pool, `Filling ${change.schema}.${change.table}`, async (client) => {
        if (spec.mode === 'append') await holdVersions(client, change)
        // In the order of the table: what does not fit stays in `_weir_extra` and is not met again.
        const { rows } = await client.query<{ at: string; value: string }>(
          `SELECT ctid::text AS at, (_weir_extra -> $1)::text AS value FROM ${target}
            WHERE _weir_extra ? $1 AND ${isOfType(change.variant)} AND ctid > $2::tid ORDER BY ctid LIMIT ${fillRows} FOR UPDATE`,
          [change.field, after ?? '(0,0)'],
        )
        const cells = rows
          // What the field's own column takes waits for room in the row, not for a variant.
          .filter(({ value }) => own === undefined || cellOf(value, own.type) === undefined)
          .map(({ at, value }) => ({ at, cell: cellOf(value, column.type) }))
          .filter(({ cell }) => cell !== undefined)
        const { rows: moved } = await client.query<{ at: string }>(
          `UPDATE ${target} t SET ${id(column.name)} = u.cell::${sqlType[column.type]}, _weir_extra = nullif(t._weir_extra - $1, '{}')
                  ${spec.mode === 'append' ? `, ${unnamed}` : ''}
             FROM unnest($2::tid[], $3::text[]) AS u (at, cell) WHERE t.ctid = u.at AND t.${id(column.name)} IS NULL RETURNING t.ctid::text AS at`,
          [change.field, cells.map(({ at }) => at), cells.map(({ cell }) => cell)],
        )
        const filled = moved.length
        if (spec.mode === 'append' && filled > 0) {
          const keysOfMoved = `(SELECT * FROM ${target} WHERE ctid = ANY($1::tid[])) moved`
          const places = [moved.map(({ at }) => at)]
          await dropRepeats(client, table, keysOfMoved, places)
          await nameVersions(client, table, keysOfMoved, places)
        }
        await client.query('UPDATE _weir.schema_changes SET filled = coalesce(filled, 0) + $2 WHERE id = $1', [change.id, filled])
        return { filled, ...(rows.length === fillRows ? { next: rows.at(-1)!.at } : {}) }
      })
    },

    async isBusy(ref) {
      return (await openRuns(pool, ref)).some(({ kind }) => kind !== 'backfill')
    },
  }
}

const note = async (pool: pg.Pool, ...[ref, spec, change, fields]: Parameters<Warehouse['changes']['note']>): Promise<void> => {
  await pool.query(
    `INSERT INTO _weir.schema_changes (sync, stream, table_schema, table_name, change, field, run_id, status)
     SELECT $1, $2, $3, $4, $5, nullif(f, ''), $6, 'noted' FROM unnest($7::text[]) f
      WHERE $5 IS DISTINCT FROM (SELECT c.change FROM _weir.schema_changes c WHERE c.table_schema = $3 AND c.table_name = $4
        AND c.field IS NOT DISTINCT FROM nullif(f, '') AND c.status = 'noted' ORDER BY c.id DESC LIMIT 1)`,
    [ref.sync, ref.stream, spec.schema, spec.table, change, ref.run, fields],
  )
}

async function goneBefore(pool: pg.Pool, schema: string, table: string, fields: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ field: string }>(
    `SELECT DISTINCT field FROM _weir.schema_changes WHERE table_schema = $1 AND table_name = $2 AND change = 'field_gone' AND field = ANY($3)`,
    [schema, table, fields],
  )
  return rows.map(({ field }) => field)
}

/** Is the value of field $1 in `_weir_extra` one that a variant of this type takes? As SQL; true where no variant is meant. */
function isOfType(variant: FieldType | undefined): string {
  if (variant === undefined) return 'true'
  const names: Partial<Record<FieldType, string>> = { text: `'string'`, numeric: `'number'`, boolean: `'boolean'` }
  return `jsonb_typeof(_weir_extra -> $1) IN (${names[variant] ?? `'object', 'array'`})`
}

/** The value of a JSON text as a cell of a column, exactly as a load would have put it there; undefined where it does not fit. */
function cellOf(json: string, type: FieldType): string | undefined {
  if (type === 'json') return json
  const first = json.charAt(0)
  if (first === '{' || first === '[' || json === 'null') return undefined
  const cell = encoders[type](first === '"' || first === 't' || first === 'f' ? JSON.parse(json) : numberOf(json))
  return cell === undefined ? undefined : plain(cell)
}

function numberOf(json: string): unknown {
  const number = Number(json)
  if (String(number) === json) return number
  return /^-?\d+$/.test(json) ? BigInt(json) : new ExactNumber(json)
}
