import type pg from 'pg'
import type { FailureNote, RunKind, RunStatus } from '../../core/activities.js'
import type { WaitsFor } from '../../core/failure.js'
import type { Counts } from '../../core/types.js'
import type { RunRow, StreamRef, StreamRunRow, Wait, Warehouse } from '../driver.js'
import { countColumns, countsOf, countValues } from './counts.js'
import { failureOf, failureValues } from './failures.js'

const times = (row: Record<string, unknown>): { startedAt: string; finishedAt?: string } => ({
  startedAt: (row.started_at as Date).toISOString(),
  ...(row.finished_at === null ? {} : { finishedAt: (row.finished_at as Date).toISOString() }),
})

export const runOf = (row: Record<string, unknown>): RunRow & Counts => ({
  run: String(row.run_id),
  sync: String(row.sync),
  definition: String(row.definition),
  kind: row.kind as RunKind,
  ...(row.backfill === null ? {} : { backfill: String(row.backfill) }),
  status: row.status as RunStatus,
  warnings: row.warnings as string[],
  ...times(row),
  ...failureOf(row),
  ...countsOf(row),
})

export const waitOf = (row: Record<string, unknown>): { wait?: Wait } =>
  row.finished_at === null && row.waiting_until instanceof Date
    ? { wait: { until: row.waiting_until.toISOString(), for: row.waiting_for as WaitsFor } }
    : {}

export const streamRunOf = (row: Record<string, unknown>): StreamRunRow => ({
  run: String(row.run_id),
  sync: String(row.sync),
  stream: String(row.stream),
  status: row.status as RunStatus,
  ...times(row),
  ...waitOf(row),
  ...failureOf(row),
  ...countsOf(row),
})

type Ref = StreamRef & { run: string }
export type StreamEnd = { status: RunStatus; failure?: FailureNote }

/** The row of a stream's run, made where there is none yet, and locked. */
export async function beginStreamRun(client: pg.ClientBase, { run, sync, stream }: Ref): Promise<Record<string, unknown>> {
  const { rows } = await client.query(
    `INSERT INTO _weir.stream_runs AS s (run_id, sync, stream, status) VALUES ($1, $2, $3, 'running')
     ON CONFLICT (run_id, stream) DO UPDATE SET run_id = s.run_id RETURNING *`,
    [run, sync, stream],
  )
  return rows[0]!
}

/** @param spent requests by the vendor's budget */
export async function endStreamRun(
  client: pg.ClientBase,
  { run, stream }: Ref,
  end: StreamEnd,
  { spent, ...counts }: Counts & { spent: Readonly<Record<string, number>> },
): Promise<StreamRunRow> {
  const set = countColumns.map((column, i) => `${column} = $${i + 7}`).join(', ')
  const { rows } = await client.query(
    `UPDATE _weir.stream_runs SET status = $3, failure_reason = $4, failure_message = $5, spent = $6, finished_at = now(), ${set}
      WHERE run_id = $1 AND stream = $2 RETURNING *`,
    [run, stream, end.status, ...failureValues(end.failure), JSON.stringify(spent), ...countValues(counts)],
  )
  return streamRunOf(rows[0]!)
}

/** Runs that read a stream now, the newest first. */
export async function openRuns(pool: pg.Pool, { sync, stream }: StreamRef): Promise<{ run: string; kind: RunKind }[]> {
  const { rows } = await pool.query<{ run: string; kind: RunKind }>(
    `SELECT run_id AS run, r.kind FROM _weir.stream_runs s JOIN _weir.runs r USING (run_id)
      WHERE s.sync = $1 AND s.stream = $2 AND s.finished_at IS NULL AND r.finished_at IS NULL ORDER BY s.started_at DESC`,
    [sync, stream],
  )
  return rows
}

export function createRuns(pool: pg.Pool): Warehouse['runs'] {
  return {
    async start({ run, sync, definition, kind, workflow, backfill, warnings = [] }) {
      // A pause that came first has made the row already, and knows no warnings.
      await pool.query(
        `INSERT INTO _weir.runs (run_id, sync, definition, kind, status, workflow_id, backfill, warnings)
         VALUES ($1, $2, $3, $4, 'running', $5, $6, $7)
         ON CONFLICT (run_id) DO UPDATE SET warnings = excluded.warnings WHERE cardinality(excluded.warnings) > 0`,
        [run, sync, definition, kind, workflow ?? null, backfill ?? null, warnings],
      )
    },
    async finish(run, status, counts, failure) {
      const set = countColumns.map((column, i) => `${column} = $${i + 5}`).join(', ')
      const { rows } = await pool.query<{ seconds: number }>(
        `WITH pauses AS (UPDATE _weir.pauses SET resumed_at = now() WHERE run_id = $1 AND resumed_at IS NULL)
         UPDATE _weir.runs SET status = $2, failure_reason = $3, failure_message = $4, finished_at = now(), ${set} WHERE run_id = $1 AND finished_at IS NULL
         RETURNING extract(epoch FROM now() - started_at)::float8 AS seconds`,
        [run, status, ...failureValues(failure), ...countValues(counts)],
      )
      return rows[0]?.seconds
    },
    async list({ sync, limit }) {
      const { rows } = await pool.query('SELECT * FROM _weir.runs WHERE $1::text IS NULL OR sync = $1 ORDER BY started_at DESC LIMIT $2', [
        sync ?? null,
        limit,
      ])
      return rows.map(runOf)
    },
    async streams(run) {
      const { rows } = await pool.query('SELECT * FROM _weir.stream_runs WHERE run_id = $1 ORDER BY stream', [run])
      return rows.map(streamRunOf)
    },
  }
}
