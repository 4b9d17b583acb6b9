import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { Letter, Rebuild, RebuildBatch } from '../driver.js'
import { holdVersions, nameVersions, unnamed } from './append-names.js'
import { halve } from './halve.js'
import { besides, readAt } from './merge.js'
import type { Identity } from './rebuilds.js'
import { id, list, sqlType } from './sql.js'

interface Written {
  rewritten: number
  letters: Letter[]
}

/**
 * Writes the rows that came out differently, and nothing else; rows that somebody wrote meanwhile are left to him. Marks of
 * deletion stay, and so do the times of versions. A dry run counts them. What the database refuses is halved until the culprit is alone.
 */
export async function writeRebuilt(
  client: pg.ClientBase,
  rebuild: Rebuild,
  batch: RebuildBatch,
  key: readonly Identity[],
): Promise<Written> {
  const written: Written = { rewritten: 0, letters: [] }
  const { schema, table, mode } = batch.table.spec
  // A load would miss that a version comes to say what it adds, or that one has new cells which it puts elsewhere in time.
  if ((mode === 'append' || mode === 'history') && !rebuild.isDryRun) await holdVersions(client, batch.table.spec)
  await halve(
    client,
    batch.rows,
    async (rows) => {
      written.rewritten += await write(client, rebuild, { ...batch, rows }, key)
    },
    (row, { code }) => {
      written.letters.push(row.letter(`PostgreSQL refused the rebuilt row of ${schema}.${table} (${code})`))
    },
  )
  return written
}

async function write(
  client: pg.ClientBase,
  { run, isDryRun }: Rebuild,
  { rows, table }: RebuildBatch,
  key: readonly Identity[],
): Promise<number> {
  const { spec, columns } = table
  const cells = columns.map(({ name, type }) => `${id(name)} ${sqlType[type]}`).join(', ')
  await client.query(
    `CREATE TEMP TABLE weir_rebuild (${cells}, ${besides(spec)
      .map((name) => `${name} jsonb`)
      .join(', ')}, _weir_line int) ON COMMIT DROP`,
  )
  const stream = client.query(
    copyFrom(`COPY weir_rebuild (${list([...columns.map(({ name }) => name), ...besides(spec), '_weir_line'])}) FROM STDIN`),
  )
  const done = once(stream, 'finish')
  stream.end(rows.map(({ line }, i) => `${line}\t${i + 1}\n`).join(''))
  await done
  const told = new Set(key.map(({ name }) => name))
  const names = [...columns.map(({ name }) => name).filter((name) => !told.has(name)), ...besides(spec)]
  const row = (of: string) => `ROW(${names.map((name) => `${of}.${id(name)}`).join(', ')})`
  const places = key.map((_, i) => `$${i + 2}::text[]`)
  const same = key.map(({ name, type }, i) => `t.${id(name)} = p.k${i}::${type}`).join(' AND ')
  const found = `weir_rebuild b JOIN unnest($1::text[], ${places.join(', ')}) WITH ORDINALITY p(version, ${key.map((_, i) => `k${i}`).join(', ')}, line) ON p.line = b._weir_line`
  const differs = `${same} AND t.xmin::text = p.version AND ${row('t')} IS DISTINCT FROM ${row('b')}`
  const target = `${id(spec.schema, spec.table)}`
  const values = [rows.map(({ version }) => version), ...key.map((_, i) => rows.map(({ place }) => place[i]))]
  let changed: number
  if (isDryRun) {
    const { rows: counted } = await client.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM ${target} t, ${found} WHERE ${differs}`,
      values,
    )
    changed = counted[0]!.n
  } else {
    const set = [...names.map((name) => `${id(name)} = b.${id(name)}`), ...(spec.mode === 'append' ? [unnamed] : [])].join(', ')
    const { rowCount } = await client.query(
      `UPDATE ${target} t SET ${set}, _weir_run_id = $${key.length + 2}, _weir_loaded_at = now(), _weir_seen_at = ${readAt('t')}
         FROM ${found} WHERE ${differs}`,
      [...values, run],
    )
    changed = rowCount ?? 0
    if (changed > 0 && spec.mode === 'append') await nameVersions(client, table, 'weir_rebuild')
  }
  await client.query('DROP TABLE weir_rebuild')
  return changed
}
