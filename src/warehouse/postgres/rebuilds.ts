import type pg from 'pg'
import { Failure } from '../../core/failure.js'
import type { RebuildCounts } from '../../core/rebuild.js'
import { rawColumn } from '../../schema/names.js'
import type { OpenTable, RawRow, Rebuild, RowPlace, TableSpec, Warehouse } from '../driver.js'
import { versionColumn } from './append.js'
import { failureValues } from './failures.js'
import { checkHashKey } from './hash-keys.js'
import type { LetterSeal } from './letter-seal.js'
import { writeLetters } from './letters.js'
import { onConnection, transaction } from './pool.js'
import { writeRebuilt } from './rebuild-rows.js'
import { openRuns } from './runs.js'
import { id, list, literal } from './sql.js'
import { tableIn } from './tables.js'

/** A page holds so many rows, or as many as these bytes of raw records: memory is bounded whatever a record's size. The versions of one key in `append` come whole. */
const pageRows = 1_000
const pageBytes = 8 * 1024 * 1024

const countColumns = { examined: 'examined', rewritten: 'rewritten', withoutRaw: 'without_raw', deadLetters: 'dead_letters' } as const
const keys = Object.keys(countColumns) as (keyof RebuildCounts)[]

const countsOf = (row: Record<string, unknown>): RebuildCounts => ({
  examined: Number(row.examined),
  rewritten: Number(row.rewritten),
  withoutRaw: Number(row.without_raw),
  deadLetters: Number(row.dead_letters),
})

const rebuildOf = (row: Record<string, unknown>): Rebuild => ({
  sync: String(row.sync),
  stream: String(row.stream),
  run: String(row.run_id),
  isDryRun: row.dry_run === true,
  position: (row.position as string[] | null) ?? undefined,
  counts: countsOf(row),
})

/** Rebuilds in `_weir.rebuilds`: the position and the counts commit with the rows. */
export function createRebuilds(pool: pg.Pool, seal: () => LetterSeal): Warehouse['rebuilds'] {
  return {
    async start({ sync, stream, run, definition, isDryRun }, spec) {
      const known = await pool.query('SELECT 1 FROM _weir.rebuilds WHERE run_id = $1', [run])
      if (known.rowCount === 1) return
      await look(pool, spec)
      await checkHashKey(pool, spec)
      const raw = await pool.query('SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped', [
        id(spec.schema, spec.table),
        rawColumn,
      ])
      if (raw.rowCount === 0)
        throw new Failure(
          'config',
          `${spec.schema}.${spec.table} holds no raw records: there is nothing to rebuild it from. They are kept from the first run after \`raw: keep\`.`,
        )
      const [reading] = await openRuns(pool, { sync, stream })
      if (reading)
        throw new Failure(
          'config',
          `Run ${reading.run} of sync ${sync} reads ${stream} at this moment. Wait for its end (\`weir status\`), then rebuild.`,
          { sync, stream },
        )
      await pool.query(
        'INSERT INTO _weir.rebuilds (run_id, sync, stream, definition, dry_run) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run_id) DO NOTHING',
        [run, sync, stream, definition, isDryRun],
      )
    },
    async open(run) {
      const { rows } = await pool.query('SELECT * FROM _weir.rebuilds WHERE run_id = $1', [run])
      if (!rows[0]) throw new Failure('bug', `Rebuild ${run} was never started.`)
      return rebuildOf(rows[0])
    },
    look: (spec) => look(pool, spec),
    rows: (spec, after) => page(pool, spec, after),
    commit: (rebuild, batch) =>
      transaction(pool, `Rebuilding ${rebuild.sync}/${rebuild.stream}`, async (client) => {
        const held = await client.query(
          `SELECT 1 FROM _weir.rebuilds WHERE run_id = $1 AND finished_at IS NULL AND position IS NOT DISTINCT FROM $2::jsonb FOR UPDATE`,
          [rebuild.run, rebuild.position === undefined ? null : JSON.stringify(rebuild.position)],
        )
        if (held.rowCount === 0)
          throw new Failure(
            'fenced',
            `Another attempt goes on with the rebuild of ${rebuild.sync}/${rebuild.stream}; this one wrote nothing.`,
          )
        const key = await identityOf(client, batch.table.spec)
        const { rewritten, letters } = await writeRebuilt(client, rebuild, batch, key)
        const all = [...batch.letters, ...letters]
        if (!rebuild.isDryRun)
          await writeLetters(client, { ...rebuild, key: null }, all, batch.encrypt ? seal() : undefined, batch.table.spec)
        const counts = { ...batch.counts, rewritten: batch.counts.rewritten + rewritten, deadLetters: all.length }
        const added = keys.map((name, i) => `${countColumns[name]} = ${countColumns[name]} + $${i + 3}`).join(', ')
        const { rows } = await client.query(`UPDATE _weir.rebuilds SET position = $2, ${added} WHERE run_id = $1 RETURNING *`, [
          rebuild.run,
          JSON.stringify(batch.position),
          ...keys.map((name) => counts[name]),
        ])
        return rebuildOf(rows[0]!)
      }),
    async finish(run, end) {
      const { rows } = await pool.query('SELECT * FROM _weir.rebuilds WHERE run_id = $1', [run])
      // Refused before it began: there is nothing to settle.
      const counts = rows[0] ? countsOf(rows[0]) : { examined: 0, rewritten: 0, withoutRaw: 0, deadLetters: 0 }
      const { status, failure } = end(counts)
      await pool.query(
        'UPDATE _weir.rebuilds SET status = $2, failure_reason = $3, failure_message = $4, finished_at = now() WHERE run_id = $1 AND finished_at IS NULL',
        [run, status, ...failureValues(failure)],
      )
      return { ...counts, status, ...(failure ? { failure } : {}) }
    },
  }
}

async function look(pool: pg.Pool, spec: TableSpec): Promise<OpenTable> {
  const table = await onConnection(pool, `Looking at ${spec.schema}.${spec.table}`, (client) => tableIn(client, spec))
  if (table.columns.length === 0)
    throw new Failure('config', `There is no table ${spec.schema}.${spec.table} that Weir made: nothing can be rebuilt. Sync it first.`)
  return table
}

/** Columns of the table's own unique index, with their types: what tells its rows apart; the name of a version comes last. */
export interface Identity {
  name: string
  type: string
}

async function identityOf(client: pg.ClientBase | pg.Pool, spec: TableSpec): Promise<Identity[]> {
  const { rows } = await client.query<Identity>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
       FROM (SELECT * FROM pg_index WHERE indrelid = to_regclass($1) AND indisunique AND indpred IS NULL AND indexprs IS NULL
             ORDER BY EXISTS (SELECT 1 FROM pg_attribute v WHERE v.attrelid = indrelid AND v.attnum = ANY(indkey) AND v.attname = ${literal(versionColumn)}) DESC,
                      indisprimary DESC, indexrelid LIMIT 1) i
       CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.n`,
    [id(spec.schema, spec.table)],
  )
  if (rows.length === 0)
    throw new Failure(
      'config',
      `${spec.schema}.${spec.table} has lost its primary key: its rows cannot be told apart, so nothing was rebuilt.`,
    )
  return rows
}

/** The next rows by what tells them apart. A rebuilt version of `append` gets another name: there it goes by keys alone, and no key is parted. */
async function page(pool: pg.Pool, spec: TableSpec, after: RowPlace | undefined): Promise<RawRow[]> {
  const key = await identityOf(pool, spec)
  const walked = spec.mode === 'append' ? key.filter(({ name }) => name !== versionColumn) : key
  const names = list(key.map(({ name }) => name))
  const by = list(walked.map(({ name }) => name))
  const place = `ARRAY[${key.map(({ name }) => `${id(name)}::text`).join(', ')}]`
  const behind = walked.map(({ type }, i) => `$${i + 1}::text::${type}`).join(', ')
  const bytes = 'coalesce(octet_length(raw), 0)'
  const { rows } = await pool.query<RawRow>(
    `SELECT place, version, raw FROM (
       SELECT row_number() OVER (ORDER BY ${names}) AS n, place, version, raw,
              sum(${bytes}) OVER (ORDER BY ${by}) - sum(${bytes}) OVER (PARTITION BY ${by}) AS before
         FROM (SELECT ${names}, ${place} AS place, xmin::text AS version, ${id(rawColumn)}::text AS raw FROM ${id(spec.schema, spec.table)}
               ${after === undefined ? '' : `WHERE (${by}) > (${behind})`} ORDER BY ${by} FETCH FIRST ${pageRows} ROWS WITH TIES) page) sized
     WHERE before < ${pageBytes} ORDER BY n`,
    after === undefined ? [] : after.slice(0, walked.length),
  )
  return rows
}
