import type pg from 'pg'
import type { Counts } from '../../core/types.js'
import type { StreamRef, TableSpec } from '../driver.js'
import { differs } from './load.js'
import { id, list } from './sql.js'
import { columnsOf, stageName } from './tables.js'

/**
 * Makes the standing table equal to the gathered snapshot, inside the caller's transaction: readers see the old rows or the
 * new ones, and views, grants and indexes hold, since the table is never renamed, dropped or truncated.
 */
export async function exchange(
  client: pg.ClientBase,
  ref: StreamRef & { run: string },
  spec: TableSpec,
  counts: Counts,
): Promise<Partial<Counts>> {
  const target = id(spec.schema, spec.table)
  const stage = id('_weir_stage', stageName(ref))
  const columns = await columnsOf(client, spec)
  const key = spec.key.map((field) => columns.find((column) => column.field === field)!.name)
  const joined = key.map((name) => `s.${id(name)} = t.${id(name)}`).join(' AND ')
  const gone = await client.query(`DELETE FROM ${target} t WHERE NOT EXISTS (SELECT 1 FROM ${stage} s WHERE ${joined})`)
  const names = [...columns.map(({ name }) => name), '_weir_extra', '_weir_run_id', '_weir_loaded_at', '_weir_deleted_at']
  const set = names.filter((name) => !key.includes(name)).map((name) => `${id(name)} = excluded.${id(name)}`)
  const written = await client.query(
    `INSERT INTO ${target} AS t (${list(names)}) SELECT ${list(names)} FROM ${stage} ORDER BY ${list(key)}
     ON CONFLICT (${list(key)}) DO UPDATE SET ${set.join(', ')} WHERE ${differs(spec, columns, 'excluded')}`,
  )
  await client.query(`DROP TABLE ${stage}`)
  const loaded = written.rowCount ?? 0
  return { loaded, unchanged: counts.read - counts.deadLetters - loaded, deleted: gone.rowCount ?? 0 }
}
