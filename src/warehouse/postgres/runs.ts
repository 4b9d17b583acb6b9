import type pg from 'pg'
import type { FailureNote, RunKind, RunStatus } from '../../core/activities.js'
import type { Counts } from '../../core/types.js'
import type { RunRow, StreamRunRow, Warehouse } from '../driver.js'
import { countColumns, countsOf, countValues } from './counts.js'

const failureOf = (row: Record<string, unknown>): { failure?: FailureNote } =>
  row.failure_reason === null ? {} : { failure: { reason: String(row.failure_reason), message: String(row.failure_message) } }

const times = (row: Record<string, unknown>): { startedAt: string; finishedAt?: string } => ({
  startedAt: (row.started_at as Date).toISOString(),
  ...(row.finished_at === null ? {} : { finishedAt: (row.finished_at as Date).toISOString() }),
})

export const runOf = (row: Record<string, unknown>): RunRow & Counts => ({
  run: String(row.run_id),
  sync: String(row.sync),
  definition: String(row.definition),
  kind: row.kind as RunKind,
  status: row.status as RunStatus,
  ...times(row),
  ...failureOf(row),
  ...countsOf(row),
})

export const streamRunOf = (row: Record<string, unknown>): StreamRunRow => ({
  run: String(row.run_id),
  sync: String(row.sync),
  stream: String(row.stream),
  status: row.status as RunStatus,
  ...times(row),
  ...failureOf(row),
  ...countsOf(row),
})

export function createRuns(pool: pg.Pool): Warehouse['runs'] {
  return {
    async start({ run, sync, definition, kind, workflow }) {
      await pool.query(
        `INSERT INTO _weir.runs (run_id, sync, definition, kind, status, workflow_id) VALUES ($1, $2, $3, $4, 'running', $5) ON CONFLICT (run_id) DO NOTHING`,
        [run, sync, definition, kind, workflow ?? null],
      )
    },
    async finish(run, status, counts, failure) {
      const set = countColumns.map((column, i) => `${column} = $${i + 5}`).join(', ')
      await pool.query(
        `WITH pauses AS (UPDATE _weir.pauses SET resumed_at = now() WHERE run_id = $1 AND resumed_at IS NULL)
         UPDATE _weir.runs SET status = $2, failure_reason = $3, failure_message = $4, finished_at = now(), ${set} WHERE run_id = $1 AND finished_at IS NULL`,
        [run, status, failure?.reason ?? null, failure?.message.slice(0, 4_000) ?? null, ...countValues(counts)],
      )
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
    async progress(run) {
      const sums = countColumns
        .map((column) => `CASE WHEN s.finished_at IS NULL THEN coalesce(sum(c.${column}), 0) ELSE s.${column} END AS ${column}`)
        .join(', ')
      const { rows } = await pool.query(
        `SELECT s.run_id, s.sync, s.stream, s.status, s.started_at, s.finished_at, s.failure_reason, s.failure_message, ${sums}
           FROM _weir.stream_runs s LEFT JOIN _weir.checkpoints c ON c.run_id = s.run_id AND c.sync = s.sync AND c.stream = s.stream
          WHERE s.run_id = $1 GROUP BY s.run_id, s.stream ORDER BY s.stream`,
        [run],
      )
      return rows.map(streamRunOf)
    },
    async latest() {
      const { rows } = await pool.query('SELECT DISTINCT ON (sync, stream) * FROM _weir.stream_runs ORDER BY sync, stream, started_at DESC')
      return rows.map(streamRunOf)
    },
  }
}
