import type pg from 'pg'
import type { FailureNote } from '../../core/activities.js'
import type { FieldType } from '../../core/types.js'
import type { Column } from '../../schema/encode.js'
import type { Measure, Measured, MeasureInput, QualityResult, StreamRef, TableSpec, Warehouse } from '../driver.js'
import { failureValues } from './failures.js'
import { onConnection, transaction, warehouseFailure } from './pool.js'
import { id, list, sqlType } from './sql.js'
import { tableIn } from './tables.js'
import { completed } from './words.js'

type Ref = StreamRef & { run: string }

const samples = 5
const longestSample = 100

export function createQuality(pool: pg.Pool): Warehouse['quality'] {
  return {
    async columns(spec) {
      const table = await onConnection(pool, `Looking at ${spec.schema}.${spec.table}`, (client) => tableIn(client, spec))
      return table.columns
    },
    measure: (input) => measure(pool, input),
    rowsBefore: (ref, when) => rowsBefore(pool, ref, when),
    record: (ref, results, failure) => record(pool, ref, results, failure),
    async results(run, stream) {
      const { rows } = await pool.query(
        'SELECT * FROM _weir.quality_results WHERE run_id = $1 AND ($2::text IS NULL OR stream = $2) ORDER BY stream, ordinal',
        [run, stream ?? null],
      )
      return rows.map(resultOf)
    },
    async latest() {
      const { rows } = await pool.query(
        `SELECT q.* FROM _weir.quality_results q JOIN
           (SELECT DISTINCT ON (sync, stream) sync, stream, run_id FROM _weir.quality_results ORDER BY sync, stream, checked_at DESC) newest
           USING (sync, stream, run_id) ORDER BY sync, stream, ordinal`,
      )
      return rows.map(resultOf)
    },
  }
}

/** Values as parameters of one statement. */
class Parameters {
  readonly values: unknown[] = []
  add(value: unknown, type: string): string {
    return `$${this.values.push(value)}::${type}`
  }
}

async function measure(pool: pg.Pool, input: MeasureInput): Promise<Measured | { problem: string }> {
  const { spec, timeoutMs } = input
  const doing = `Checking ${'sql' in spec ? `model ${spec.name}` : `${spec.schema}.${spec.table}`}`
  try {
    return await transaction(pool, doing, async (client) => {
      // numbers and samples are of one moment
      await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
      await client.query(`SET LOCAL statement_timeout = ${Math.ceil(timeoutMs)}`)
      const measured = await scan(client, input)
      await addSamples(client, input, measured)
      return measured
    })
  } catch (error) {
    const problem = problemOf(error, timeoutMs)
    if (problem === undefined) throw warehouseFailure(error, doing)
    return { problem }
  }
}

/** What is wrong with the question, not with the warehouse. PostgreSQL's own words may quote a value, so they stay out. */
function problemOf(error: unknown, timeoutMs: number): string | undefined {
  const { code } = error as { code?: unknown }
  if (code === '57014') return `it did not end within ${timeoutMs / 1000} s`
  if (typeof code === 'string' && /^(22|42)/.test(code) && code !== '42501') return `PostgreSQL refused it (${code})`
  return undefined
}

type Spec = MeasureInput['spec']
const tableOf = (spec: Spec) => ('sql' in spec ? `(${spec.sql}\n) AS model` : id(spec.schema, spec.table))
/** Rows that stand for a record that lives: neither deleted nor an earlier version. */
const isCurrent = (spec: Spec) =>
  'sql' in spec ? 'true' : `_weir_deleted_at IS NULL${spec.mode === 'history' ? ' AND _weir_is_current' : ''}`

async function scan(client: pg.ClientBase, { spec, measures }: MeasureInput): Promise<Measured> {
  const parameters = new Parameters()
  const apart = !('sql' in spec) && measures.some(({ kind }) => kind === 'duplicates') ? await heldApart(client, spec) : []
  const isHeld = (one: Measure) => one.kind === 'duplicates' && apart.some((index) => index.every((name) => hasColumn(one.columns, name)))
  const parts = measures.map((one, i) => `${isHeld(one) ? '0' : aggregateOf(one, parameters)} AS m${i}`)
  const { rows } = await client.query<Record<string, string | number | null>>(
    `SELECT ${['count(*) AS rows', ...parts].join(', ')} FROM ${tableOf(spec)} WHERE ${isCurrent(spec)}`,
    parameters.values,
  )
  const found = rows[0]!
  return {
    rows: Number(found.rows),
    values: measures.map(({ kind }, i) => {
      const value = found[`m${i}`]
      if (kind !== 'newest') return { failing: Number(value), samples: [] }
      const isThere = value !== null && Number.isFinite(Number(value))
      return { newest: isThere ? new Date(Number(value) * 1000) : undefined }
    }),
  }
}

const hasColumn = (columns: readonly Column[], name: string) => columns.some((column) => column.name === name)

/** Columns of each unique index: what the database itself holds apart need not be counted (that takes four times as long as all else). */
async function heldApart(client: pg.ClientBase, spec: TableSpec): Promise<string[][]> {
  const { rows } = await client.query<{ names: string[] }>(
    `SELECT array_agg(a.attname::text) AS names
       FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
      WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
      GROUP BY i.indexrelid`,
    [tableOf(spec)],
  )
  return rows.map(({ names }) => names)
}

function aggregateOf(one: Measure, parameters: Parameters): string {
  switch (one.kind) {
    case 'newest': {
      const column = `${id(one.column.name)}::timestamptz`
      return `extract(epoch FROM max(${column}) FILTER (WHERE ${column} <= ${parameters.add(one.until, 'timestamptz')}))::float8`
    }
    case 'duplicates': {
      const names = one.columns.map(({ name }) => id(name))
      const whole = allThere(names)
      const value = names.length === 1 ? names[0]! : `(${names.join(', ')})`
      return `count(*) FILTER (WHERE ${whole}) - count(DISTINCT ${value}) FILTER (WHERE ${whole})`
    }
    default:
      return `count(*) FILTER (WHERE ${failing(one, parameters)})`
  }
}

const allThere = (names: readonly string[]) => names.map((name) => `${name} IS NOT NULL`).join(' AND ')

/** Numbers are compared as numerics, so that a bound may have a fraction. */
const comparedAs = (type: FieldType) => (type === 'bigint' ? 'numeric' : sqlType[type])

/** Of one row: does it fail? NULL, where there is no value, counts as no. */
function failing(one: Exclude<Measure, { kind: 'newest' | 'duplicates' }>, parameters: Parameters): string {
  if (one.kind === 'nulls') return one.columns.map(({ name }) => `${id(name)} IS NULL`).join(' OR ')
  const type = comparedAs(one.column.type)
  const column = `${id(one.column.name)}::${type}`
  if (one.kind === 'others') return `${column} <> ALL (${parameters.add(one.values, `${type}[]`)})`
  const below = one.min === undefined ? [] : [`${column} < ${parameters.add(one.min, type)}`]
  const above = one.max === undefined ? [] : [`${column} > ${parameters.add(one.max, type)}`]
  return [...below, ...above].join(' OR ')
}

/** Keys of a few rows that fail. When time runs out here the numbers stand, without them. */
async function addSamples(client: pg.ClientBase, { spec, measures, shown }: MeasureInput, measured: Measured): Promise<void> {
  if (shown.length === 0) return
  const keys = shown.map(({ name }, i) => `left(${id(name)}::text, ${longestSample}) AS k${i}`).join(', ')
  for (const [i, one] of measures.entries()) {
    const value = measured.values[i]!
    if (one.kind === 'newest' || !('failing' in value) || value.failing === 0) continue
    const parameters = new Parameters()
    try {
      const { rows } = await client.query<Record<string, string>>(sampleQuery(spec, one, keys, parameters), parameters.values)
      value.samples = rows.map((row) => Object.fromEntries(shown.map(({ name }, k) => [name, row[`k${k}`] ?? ''])))
    } catch (error) {
      if ((error as { code?: unknown }).code !== '57014') throw error
      return
    }
  }
}

function sampleQuery(spec: Spec, one: Exclude<Measure, { kind: 'newest' }>, keys: string, parameters: Parameters): string {
  if (one.kind !== 'duplicates')
    return `SELECT ${keys} FROM ${tableOf(spec)} WHERE ${isCurrent(spec)} AND (${failing(one, parameters)}) LIMIT ${samples}`
  const names = one.columns.map(({ name }) => name)
  const numbered = `SELECT ${keys}, row_number() OVER (PARTITION BY ${list(names)}) AS nth FROM ${tableOf(spec)}`
  return `SELECT * FROM (${numbered} WHERE ${isCurrent(spec)} AND ${allThere(names.map((name) => id(name)))}) t WHERE nth > 1 LIMIT ${samples}`
}

async function rowsBefore(
  pool: pg.Pool,
  { sync, stream, run }: Ref,
  { from, to, near }: { from: Date; to: Date; near: Date },
): Promise<{ rows: number; checkedAt: string } | undefined> {
  const { rows } = await pool.query<{ table_rows: string; checked_at: Date }>(
    `SELECT table_rows, checked_at FROM _weir.quality_results
      WHERE sync = $1 AND stream = $2 AND run_id <> $3 AND table_rows IS NOT NULL AND checked_at >= $4 AND checked_at < $5
      ORDER BY abs(extract(epoch FROM checked_at - $6::timestamptz)), checked_at DESC LIMIT 1`,
    [sync, stream, run, from, to, near],
  )
  const [row] = rows
  return row && { rows: Number(row.table_rows), checkedAt: row.checked_at.toISOString() }
}

async function record(pool: pg.Pool, { sync, stream, run }: Ref, results: readonly QualityResult[], failure?: FailureNote): Promise<void> {
  const rows = results.map(({ rows: tableRows, ...result }, ordinal) => ({ ...result, tableRows, ordinal }))
  await transaction(pool, `Recording the checks of ${sync}/${stream}`, async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO _weir.quality_results (run_id, sync, stream, ordinal, check_name, parameters, severity, status, observed, threshold, unit,
                                          table_rows, failing_rows, sample_keys, message, checked_at)
       SELECT $1, $2, $3, (r->>'ordinal')::int, r->>'check', r->'parameters', r->>'severity', r->>'status', (r->>'observed')::float8,
              (r->>'threshold')::float8, r->>'unit', (r->>'tableRows')::bigint, (r->>'failingRows')::bigint, r->'samples', r->>'message',
              (r->>'checkedAt')::timestamptz
         FROM jsonb_array_elements($4::jsonb) r ORDER BY 4 ON CONFLICT DO NOTHING`,
      [run, sync, stream, JSON.stringify(rows)],
    )
    if (failure === undefined || rowCount === 0) return
    await client.query(
      `UPDATE _weir.stream_runs SET status = 'failed', failure_reason = $3, failure_message = $4
        WHERE run_id = $1 AND stream = $2 AND status IN ${completed}`,
      [run, stream, ...failureValues(failure)],
    )
  })
}

const numberOf = (value: unknown): number | undefined => (value === null ? undefined : Number(value))

const resultOf = (row: Record<string, unknown>): QualityResult => ({
  run: String(row.run_id),
  sync: String(row.sync),
  stream: String(row.stream),
  check: row.check_name as QualityResult['check'],
  severity: row.severity as QualityResult['severity'],
  parameters: row.parameters as QualityResult['parameters'],
  status: row.status as QualityResult['status'],
  observed: numberOf(row.observed),
  threshold: numberOf(row.threshold),
  unit: (row.unit ?? undefined) as QualityResult['unit'],
  rows: numberOf(row.table_rows),
  failingRows: numberOf(row.failing_rows),
  samples: row.sample_keys as QualityResult['samples'],
  message: String(row.message),
  checkedAt: (row.checked_at as Date).toISOString(),
})
