/** The state of streams: watermarks, checkpoints and the history of both. Every change writes its entry in its own transaction. */
import type pg from 'pg'
import { type Line, sliceKey } from '../../core/slices.js'
import type { CheckpointRow, StateEntry, StreamRef, StreamState, Warehouse, Watermark } from '../driver.js'
import { transaction } from './pool.js'
import { sliceOf } from './slices.js'

/** Entries kept of a stream: the newest. */
const historyKept = 1_000

export interface MarkRow {
  pass: string
  parent: string
  watermark: Date
}
export const markOf = ({ watermark, ...line }: MarkRow): Watermark => ({ ...lineOf(line), watermark: watermark.toISOString() })
const lineOf = ({ pass, parent }: { pass: string; parent: string }): Line => ({ pass, ...(parent === '' ? {} : { parent }) })
/** The parent whose watermark a checkpoint moves: only ranges of time have one. */
const ownParent = `CASE WHEN range_to IS NULL THEN '' ELSE coalesce(parent, '') END`

const ofStream = 'WHERE sync = $1 AND ($2::text IS NULL OR stream = $2)'

export function createState(pool: pg.Pool): Warehouse['state'] {
  return {
    async read({ sync, stream }) {
      // Checkpoints first: a run that ends in between moves the watermark over them, never away from them.
      const checkpoints = await pool.query(`SELECT * FROM _weir.checkpoints ${ofStream} ORDER BY stream, ordinal`, [sync, stream ?? null])
      const watermarks = await pool.query(`SELECT * FROM _weir.watermarks ${ofStream} ORDER BY stream, pass, parent`, [
        sync,
        stream ?? null,
      ])
      return {
        checkpoints: checkpoints.rows.map(
          (row): CheckpointRow => ({
            sync: row.sync,
            stream: row.stream,
            slice: row.slice,
            bounds: sliceOf(row),
            state: row.state,
            position: row.position,
            run: row.run_id,
            createdAt: row.created_at.toISOString(),
            updatedAt: row.updated_at.toISOString(),
          }),
        ),
        watermarks: watermarks.rows.map((row) => ({
          sync: row.sync,
          stream: row.stream,
          ...markOf(row),
          updatedAt: row.updated_at.toISOString(),
        })),
      }
    },
    async history({ sync, stream, run, limit }) {
      const { rows } = await pool.query(
        `SELECT * FROM _weir.state_history ${ofStream} AND ($3::text IS NULL OR run_id = $3) ORDER BY id DESC LIMIT $4`,
        [sync, stream ?? null, run ?? null, limit],
      )
      return rows.map(entryOf)
    },
    reset: ({ sync, stream, who }) =>
      transaction(pool, `Resetting the state of ${sync}`, async (client) => {
        const { rows } = await client.query<{ stream: string }>(
          `SELECT stream FROM _weir.checkpoints ${ofStream} UNION SELECT stream FROM _weir.watermarks ${ofStream} ORDER BY stream`,
          [sync, stream ?? null],
        )
        const streams = rows.map((row) => row.stream)
        await voidPlans(client, sync, streams)
        let forgotten = 0
        for (const name of streams) {
          const ref = { sync, stream: name }
          const gone = await forget(client, ref)
          forgotten += gone.forgotten
          await record(client, ref, { kind: 'reset', who }, gone.lines.map(untouched))
        }
        return forgotten
      }),
    replace: ({ sync, kind, run, who }, states) =>
      transaction(pool, `Changing the state of ${sync}`, async (client) => {
        await voidPlans(
          client,
          sync,
          states.map(({ stream }) => stream),
        )
        for (const state of states) {
          const ref = { sync, stream: state.stream }
          const { lines } = await forget(client, ref)
          await put(client, ref, state, run ?? kind)
          await record(client, ref, { kind, run, who }, lines.map(untouched))
        }
      }),
  }
}

/** Status of a stream run under which the state was changed: without its checkpoints it must not take what it gathered for the whole. */
export const voided = 'skipped'
export const voidedEnd = {
  status: 'failed',
  failure: {
    reason: 'fenced',
    message: 'The state of the stream was changed by hand while it was being read. The next run goes on from what was put there.',
  },
} as const

/**
 * Makes void what runs under way have planned. One that is just planning has read the old state and would plan from it: it will find
 * itself planned, with no slices of its own. The lock keeps runs from starting until the change can be read; a plan being written
 * is waited for. A backfill has a plan of its own, which the state of the live sync does not touch.
 */
async function voidPlans(client: pg.ClientBase, sync: string, streams: readonly string[]): Promise<void> {
  await client.query('LOCK TABLE _weir.runs IN SHARE MODE')
  await client.query(
    `INSERT INTO _weir.stream_runs (run_id, sync, stream, status, planned, started_at)
     SELECT r.run_id, r.sync, s.stream, $3, true, r.started_at FROM _weir.runs r, unnest($2::text[]) AS s (stream)
      WHERE r.sync = $1 AND r.finished_at IS NULL AND r.kind <> 'backfill' ORDER BY r.run_id, s.stream ON CONFLICT (run_id, stream) DO NOTHING`,
    [sync, streams, voided],
  )
  await client.query(
    `UPDATE _weir.stream_runs s SET status = $3, planned = true WHERE sync = $1 AND stream = ANY($2) AND finished_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM _weir.runs r WHERE r.run_id = s.run_id AND r.kind = 'backfill')`,
    [sync, streams, voided],
  )
}

/** @returns how many rows are gone, and what they moved */
async function forget(client: pg.ClientBase, { sync, stream }: StreamRef): Promise<{ forgotten: number; lines: Line[] }> {
  const { rows } = await client.query<{ pass: string; parent: string; count: number }>(
    `WITH slices AS (DELETE FROM _weir.checkpoints WHERE sync = $1 AND stream = $2 RETURNING pass, ${ownParent} AS parent),
          marks AS (DELETE FROM _weir.watermarks WHERE sync = $1 AND stream = $2 RETURNING pass, parent)
     SELECT pass, parent, count(*)::int FROM (SELECT * FROM slices UNION ALL SELECT * FROM marks) AS gone GROUP BY pass, parent`,
    [sync, stream],
  )
  return { forgotten: rows.reduce((sum, { count }) => sum + count, 0), lines: rows.map(lineOf) }
}

async function put(client: pg.ClientBase, { sync, stream }: StreamRef, state: StreamState, run: string): Promise<void> {
  await client.query(
    `INSERT INTO _weir.watermarks (sync, stream, pass, parent, watermark, run_id)
     SELECT $1, $2, w->>'pass', coalesce(w->>'parent', ''), (w->>'watermark')::timestamptz, $3 FROM jsonb_array_elements($4::jsonb) w`,
    [sync, stream, run, JSON.stringify(state.watermarks)],
  )
  const slices = state.slices.map(({ slice, state, position }) => ({ ...slice, key: sliceKey(slice), state, position }))
  await client.query(
    `INSERT INTO _weir.checkpoints (sync, stream, slice, pass, range_from, range_to, parent, state, position, run_id)
     SELECT $1, $2, s->>'key', s->>'pass', s->>'from', s->>'to', s->>'parent', s->>'state', nullif(s->'position', 'null'), $3
       FROM jsonb_array_elements($4::jsonb) WITH ORDINALITY AS e (s, n) ORDER BY n`,
    [sync, stream, run, JSON.stringify(slices)],
  )
}

interface Change {
  kind: StateEntry['kind']
  run?: string | undefined
  who?: string | undefined
}

/** What a run did in a pass, or for a parent in it. */
interface Work extends Line {
  settled: number
  written: number
}
const untouched = (line: Line): Work => ({ ...line, settled: 0, written: 0 })

/** Slices behind their watermark leave; so do finished ones without a range. What is open stays for the next run. */
export async function settle(client: pg.ClientBase, ref: StreamRef & { run: string }, loaded: number): Promise<void> {
  const { rows: lines } = await client.query<{ pass: string; parent: string; written: number }>(
    `SELECT pass, ${ownParent} AS parent, coalesce(sum(loaded) FILTER (WHERE run_id = $3), 0)::float8 AS written FROM _weir.checkpoints
      WHERE sync = $1 AND stream = $2 GROUP BY 1, 2 ORDER BY min(ordinal)`,
    [ref.sync, ref.stream, ref.run],
  )
  const { rows: gone } = await client.query<{ pass: string; parent: string; settled: number }>(
    `WITH gone AS (
       DELETE FROM _weir.checkpoints c WHERE c.sync = $1 AND c.stream = $2 AND c.state <> 'open' AND (c.range_to IS NULL OR EXISTS (
         SELECT 1 FROM _weir.watermarks w WHERE w.sync = c.sync AND w.stream = c.stream AND w.pass = c.pass AND w.parent = coalesce(c.parent, '')
            AND w.watermark >= c.range_to::timestamptz))
       RETURNING pass, ${ownParent} AS parent)
     SELECT pass, parent, count(*)::int AS settled FROM gone GROUP BY 1, 2`,
    [ref.sync, ref.stream],
  )
  // What a snapshot wrote is known of the whole only: its first pass has it.
  const whole = loaded - lines.reduce((sum, { written }) => sum + written, 0)
  const work = lines.map(({ written, ...line }, i) => ({
    ...lineOf(line),
    settled: gone.find(({ pass, parent }) => pass === line.pass && parent === line.parent)?.settled ?? 0,
    written: i === 0 ? written + whole : written,
  }))
  await record(client, ref, { kind: 'run', run: ref.run }, work)
}

/** Changes whose entries are all kept, however many parents each of them moved: a rollback needs every one. */
const changesKept = 100

/** One entry for each line that has a state, had one, or was worked on; the oldest beyond what is kept leave. */
async function record(client: pg.ClientBase, { sync, stream }: StreamRef, change: Change, work: readonly Work[] = []): Promise<void> {
  await client.query(
    `WITH before AS (
       SELECT DISTINCT ON (pass, parent) pass, parent, watermark_after AS watermark FROM _weir.state_history
        WHERE sync = $1 AND stream = $2 ORDER BY pass, parent, id DESC),
     after AS (SELECT pass, parent, watermark FROM _weir.watermarks WHERE sync = $1 AND stream = $2),
     open AS (
       SELECT pass, ${ownParent} AS parent, count(*) FILTER (WHERE state = 'open') AS slices FROM _weir.checkpoints
        WHERE sync = $1 AND stream = $2 GROUP BY 1, 2),
     work AS (
       SELECT pass, coalesce(parent, '') AS parent, settled, written
         FROM jsonb_to_recordset($6::jsonb) AS w (pass text, parent text, settled int, written bigint)),
     lines AS (
       SELECT pass, parent FROM before WHERE watermark IS NOT NULL UNION SELECT pass, parent FROM after
       UNION SELECT pass, parent FROM open UNION SELECT pass, parent FROM work)
     INSERT INTO _weir.state_history (
       sync, stream, pass, parent, kind, run_id, who, watermark_before, watermark_after, settled, left_open, rows_written)
     SELECT $1, $2, pass, parent, $3, $4, $5, before.watermark, after.watermark, coalesce(settled, 0), coalesce(slices, 0), coalesce(written, 0)
       FROM lines LEFT JOIN before USING (pass, parent) LEFT JOIN after USING (pass, parent) LEFT JOIN open USING (pass, parent)
       LEFT JOIN work USING (pass, parent) ORDER BY pass, parent`,
    [sync, stream, change.kind, change.run ?? null, change.who ?? null, JSON.stringify(work)],
  )
  // The entries of one change have one instant: that of its transaction.
  await client.query(
    `DELETE FROM _weir.state_history WHERE sync = $1 AND stream = $2
        AND id <= (SELECT id FROM _weir.state_history WHERE sync = $1 AND stream = $2 ORDER BY id DESC OFFSET $3 LIMIT 1)
        AND at <= (SELECT DISTINCT at FROM _weir.state_history WHERE sync = $1 AND stream = $2 ORDER BY at DESC OFFSET $4 LIMIT 1)`,
    [sync, stream, historyKept, changesKept],
  )
}

const entryOf = (row: Record<string, unknown>): StateEntry => ({
  sync: String(row.sync),
  stream: String(row.stream),
  ...lineOf({ pass: String(row.pass), parent: String(row.parent) }),
  kind: row.kind as StateEntry['kind'],
  ...(row.run_id === null ? {} : { run: String(row.run_id) }),
  ...(row.who === null ? {} : { who: String(row.who) }),
  ...(row.watermark_before === null ? {} : { before: (row.watermark_before as Date).toISOString() }),
  ...(row.watermark_after === null ? {} : { after: (row.watermark_after as Date).toISOString() }),
  settled: Number(row.settled),
  leftOpen: Number(row.left_open),
  rowsWritten: Number(row.rows_written),
  at: (row.at as Date).toISOString(),
})
