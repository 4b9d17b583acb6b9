import type pg from 'pg'
import { type BackfillStatus, leftMs, type StreamProgress } from '../../core/backfill.js'
import { Failure } from '../../core/failure.js'
import { noCounts, sum } from '../../core/receipt.js'
import { sliceKey } from '../../core/slices.js'
import type { Slice } from '../../core/types.js'
import type { BackfillDetail, BackfillRef, BackfillRow, BackfillStart, BackfillStore } from '../contract/backfills.js'
import { countColumns, countsOf } from './counts.js'
import { failureOf, failureValues } from './failures.js'
import { transaction } from './pool.js'
import { beginStreamRun, endStreamRun, streamRunOf } from './runs.js'
import { sweepStages } from './stage.js'
import { givenUp } from './words.js'

/** Rows of slices written by one statement. */
const bulk = 5_000
/** Slices of a backfill are kept so long after its end, for whoever looks, or resumes it. */
const kept = `interval '90 days'`

const settled = `count(*) FILTER (WHERE state <> 'halved')::int AS total, count(*) FILTER (WHERE state = 'finished')::int AS done,
  count(*) FILTER (WHERE state IN ${givenUp})::int AS failed`
const summed = ['read', 'loaded', 'unchanged', 'dead_letters', 'requests']

/** Requests of slices, added up by the vendor's budget; NULL where there are none. */
const spentOf = (which: string) =>
  `(SELECT jsonb_object_agg(key, spent) FROM (SELECT key, sum(value::numeric) AS spent
      FROM _weir.backfill_slices c, jsonb_each_text(c.spent) WHERE ${which} GROUP BY key) AS used)`

/** What all runs of the backfills in `b` brought: of streams whose run has ended by its row, of others by their slices. */
const broughtBy = `SELECT ${summed.map((name) => `coalesce(sum(x.${name}), 0)::float8 AS ${name}`).join(', ')} FROM (
    SELECT ${summed.map((name) => `s.${name}`).join(', ')} FROM _weir.runs r JOIN _weir.stream_runs s USING (run_id)
      WHERE r.backfill = b.id AND s.finished_at IS NOT NULL
    UNION ALL SELECT ${summed.map((name) => `c.${name}`).join(', ')} FROM _weir.runs r JOIN _weir.stream_runs s USING (run_id)
      JOIN _weir.backfill_slices c ON c.backfill = b.id AND c.run_id = r.run_id AND c.stream = s.stream
      WHERE r.backfill = b.id AND s.finished_at IS NULL) x`

/** Backfills as they stand now: those that run are counted, those that ended have their counts. */
const standing = `SELECT b.*, now() AS asked_at, n.total, n.done, n.failed, ${summed.map((name) => `n.${name} AS ${name}_now`).join(', ')}
  FROM _weir.backfills b LEFT JOIN LATERAL (
    SELECT * FROM (SELECT ${settled} FROM _weir.backfill_slices WHERE backfill = b.id) slices, (${broughtBy}) brought) n ON b.finished_at IS NULL`

export function createBackfills(pool: pg.Pool): BackfillStore {
  return {
    async list({ sync, isOpen, limit }) {
      const { rows } = await pool.query(
        `${standing} WHERE ($1::text IS NULL OR b.sync = $1) AND (NOT $2 OR b.finished_at IS NULL) ORDER BY b.created_at DESC, b.id LIMIT $3`,
        [sync ?? null, isOpen ?? false, limit ?? null],
      )
      return rows.map(rowOf)
    },
    async get(id) {
      const { rows } = await pool.query(`${standing} WHERE b.id = $1`, [id])
      return rows[0] && detailOf(rows[0], await perStream(pool, id))
    },
    start: (backfill) => start(pool, backfill),
    plan: (ref, slices, gathersAnew) => plan(pool, ref, slices, gathersAnew),
    async progress({ backfill, stream, run }) {
      const [progress] = await perStream(pool, backfill, stream)
      const { rows } = await pool.query('SELECT * FROM _weir.stream_runs WHERE run_id = $1 AND stream = $2 AND finished_at IS NOT NULL', [
        run,
        stream,
      ])
      return {
        progress: progress ?? { stream, total: 0, done: 0, failed: 0, read: 0, loaded: 0, unchanged: 0, deadLetters: 0 },
        ...(rows[0] ? { ended: streamRunOf(rows[0]) } : {}),
      }
    },
    async mark(id, status) {
      await pool.query(
        `UPDATE _weir.backfills SET status = $2, idle_ms = idle_ms + coalesce(extract(epoch FROM now() - paused_at) * 1000, 0),
           paused_at = CASE WHEN $2 = 'paused' THEN now() END WHERE id = $1 AND finished_at IS NULL AND status <> $2`,
        [id, status],
      )
    },
    async finishStream(ref, status) {
      const { backfill, stream, run } = ref
      return transaction(pool, `Finishing ${ref.sync}/${stream} of backfill ${backfill}`, async (client) => {
        const found = await beginStreamRun(client, ref)
        if (found.finished_at !== null) return streamRunOf(found)
        // Whoever still holds a slice waits, and then finds its run ended: what it commits is read again if the backfill goes on.
        await client.query('UPDATE _weir.backfill_slices SET epoch = 0 WHERE backfill = $1 AND stream = $2 AND state = $3', [
          backfill,
          stream,
          'open',
        ])
        const { rows } = await client.query(
          `SELECT ${countColumns.map((name) => `coalesce(sum(${name}), 0) AS ${name}`).join(', ')},
             count(*) FILTER (WHERE state IN ${givenUp})::int AS letters,
             coalesce(${spentOf('c.backfill = $1 AND c.stream = $2 AND c.run_id = $3')}, '{}') AS spent
             FROM _weir.backfill_slices WHERE backfill = $1 AND stream = $2 AND run_id = $3`,
          [backfill, stream, run],
        )
        await sweepStages(client, ref)
        await client.query('DELETE FROM _weir.backfill_overtaken WHERE backfill = $1 AND stream = $2', [backfill, stream])
        const counts = sum([noCounts(), countsOf(rows[0])])
        return endStreamRun(client, ref, status(counts, Number(rows[0].letters)), { ...counts, spent: rows[0].spent })
      })
    },
    finish: (id, status, failure) =>
      transaction(pool, `Finishing backfill ${id}`, async (client) => {
        await closeLost(client, id)
        await client.query(
          `UPDATE _weir.backfills b SET status = $2, failure_reason = $3, failure_message = $4, finished_at = now(),
           idle_ms = b.idle_ms + coalesce(extract(epoch FROM now() - b.paused_at) * 1000, 0), paused_at = NULL,
           slices = n.total, slices_done = n.done, slices_failed = n.failed, ${summed.map((name) => `${name} = n.${name}_now`).join(', ')}
          FROM (${standing} WHERE b.id = $1) n WHERE b.id = n.id AND b.finished_at IS NULL`,
          [id, status, ...failureValues(failure)],
        )
      }),
  }
}

async function start(pool: pg.Pool, given: BackfillStart): Promise<void> {
  const { id, sync, definition, run, streams, from, to, createdBy } = given
  await transaction(pool, `Starting backfill ${id}`, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 3))', [`weir/backfills/${sync}`])
    const known = await client.query('SELECT 1 FROM _weir.runs WHERE run_id = $1', [run])
    if (known.rowCount === 1) return
    const { rows: others } = await client.query<{ id: string }>(
      `SELECT id FROM _weir.backfills WHERE sync = $1 AND id <> $2 AND finished_at IS NULL AND streams && $3 AND range_from < $5 AND range_to > $4`,
      [sync, id, streams, from, to],
    )
    if (others[0]) throw underWay(sync, others[0].id)
    await closeLost(client, id)
    await client.query(
      `INSERT INTO _weir.backfills AS b (id, sync, definition, streams, range_from, range_to, slice_days, parallel, status, created_by, request_ms)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'running', $9, $10)
       ON CONFLICT (id) DO UPDATE SET status = 'running', finished_at = NULL, failure_reason = NULL, failure_message = NULL,
         idle_ms = b.idle_ms + coalesce(extract(epoch FROM now() - b.finished_at) * 1000, 0)`,
      [id, sync, definition, streams, from, to, given.sliceDays ?? null, given.parallel ?? null, createdBy, given.requestMs ?? null],
    )
    await client.query(
      `UPDATE _weir.backfill_slices SET state = 'open', position = NULL, idle_claims = 0, last_failure = NULL
        WHERE backfill = $1 AND state IN ${givenUp}`,
      [id],
    )
    await client.query(
      `INSERT INTO _weir.runs (run_id, sync, definition, kind, status, backfill, workflow_id) VALUES ($1, $2, $3, 'backfill', 'running', $4, $5)`,
      [run, sync, definition, id, given.workflow ?? null],
    )
    await client.query(
      `DELETE FROM _weir.backfill_slices s USING _weir.backfills b WHERE b.id = s.backfill AND b.finished_at < now() - ${kept}`,
    )
  })
}

/** Ends the runs of a backfill that nobody works on any more: their workflow was terminated, or Temporal lost it. What they did stays counted. */
async function closeLost(client: pg.ClientBase, id: string): Promise<void> {
  const sums = (of: string) =>
    `(${countColumns.join(', ')}) = (SELECT ${countColumns.map((name) => `coalesce(sum(${name}), 0)`).join(', ')} FROM ${of})`
  const lost = `status = 'failed', failure_reason = 'transient', failure_message = 'Its workflow was ended from outside.', finished_at = now()`
  await client.query(
    `UPDATE _weir.stream_runs s SET ${lost}, spent = coalesce(${spentOf('c.backfill = $1 AND c.run_id = s.run_id AND c.stream = s.stream')}, '{}'), ${sums('_weir.backfill_slices c WHERE c.backfill = $1 AND c.run_id = s.run_id AND c.stream = s.stream')}
       FROM _weir.runs r WHERE r.run_id = s.run_id AND r.backfill = $1 AND r.finished_at IS NULL AND s.finished_at IS NULL`,
    [id],
  )
  await client.query(
    `UPDATE _weir.runs r SET ${lost}, ${sums('_weir.stream_runs s WHERE s.run_id = r.run_id')} WHERE r.backfill = $1 AND r.finished_at IS NULL`,
    [id],
  )
}

const underWay = (sync: string, other: string): Failure =>
  new Failure(
    'config',
    `Backfill ${other} of ${sync} is under way and reads some of the same: watch it with \`weir backfill show ${other}\`, wait for its end, or cancel it with \`weir backfill cancel ${other}\`.`,
    { sync },
  )

async function plan(pool: pg.Pool, ref: BackfillRef, slices: readonly Slice[], gathersAnew: boolean): Promise<void> {
  const { backfill, stream, run } = ref
  await transaction(pool, `Planning ${ref.sync}/${stream} of backfill ${backfill}`, async (client) => {
    if ((await beginStreamRun(client, ref)).planned) return
    if (gathersAnew)
      await client.query(
        `UPDATE _weir.backfill_slices SET position = NULL WHERE backfill = $1 AND stream = $2 AND state = 'open' AND run_id <> $3`,
        [backfill, stream, run],
      )
    for (let at = 0; at < slices.length; at += bulk)
      await client.query(
        `INSERT INTO _weir.backfill_slices (backfill, stream, slice, pass, range_from, range_to, parent, run_id)
         SELECT $1, $2, s->>'key', s->>'pass', s->>'from', s->>'to', s->>'parent', $3 FROM jsonb_array_elements($4::jsonb) WITH ORDINALITY AS e (s, n)
         ORDER BY n ON CONFLICT (backfill, stream, slice) DO NOTHING`,
        [backfill, stream, run, JSON.stringify(slices.slice(at, at + bulk).map((slice) => ({ ...slice, key: sliceKey(slice) })))],
      )
    await client.query('UPDATE _weir.stream_runs SET planned = true WHERE run_id = $1 AND stream = $2', [run, stream])
  })
}

async function perStream(pool: pg.Pool, id: string, stream?: string): Promise<StreamProgress[]> {
  const counts = summed.map((name) => `coalesce(sum(${name}) FILTER (WHERE state <> 'open'), 0)::float8 AS ${name}`).join(', ')
  const { rows } = await pool.query(
    `SELECT stream, ${settled}, ${counts} FROM _weir.backfill_slices
      WHERE backfill = $1 AND ($2::text IS NULL OR stream = $2) GROUP BY stream ORDER BY stream`,
    [id, stream ?? null],
  )
  return rows.map(({ stream, total, done, failed, read, loaded, unchanged, dead_letters }) => ({
    stream,
    total,
    done,
    failed,
    read,
    loaded,
    unchanged,
    deadLetters: dead_letters,
  }))
}

type Row = Record<string, unknown>

function rowOf(row: Row): BackfillRow {
  const isEnded = row.finished_at !== null
  const count = (name: string) => Number(row[isEnded ? name : `${name}_now`] ?? 0)
  const slices = isEnded
    ? { total: Number(row.slices), done: Number(row.slices_done), failed: Number(row.slices_failed) }
    : { total: Number(row.total), done: Number(row.done), failed: Number(row.failed) }
  return {
    id: String(row.id),
    sync: String(row.sync),
    streams: row.streams as string[],
    from: String(row.range_from),
    to: String(row.range_to),
    status: row.status as BackfillStatus,
    createdAt: (row.created_at as Date).toISOString(),
    createdBy: String(row.created_by),
    ...(isEnded ? { finishedAt: (row.finished_at as Date).toISOString() } : {}),
    slices,
    read: count('read'),
    loaded: count('loaded'),
    unchanged: count('unchanged'),
    deadLetters: count('dead_letters'),
    requests: count('requests'),
    ...(isEnded ? {} : endOf(row, slices, count('requests'))),
    ...failureOf(row),
  }
}

/** When it will be done; nothing is said of one that is paused. */
function endOf(row: Row, { total, done, failed }: BackfillRow['slices'], requests: number): { endsAt?: string } {
  if (row.status === 'paused') return {}
  const now = (row.asked_at as Date).getTime()
  const activeMs = now - (row.created_at as Date).getTime() - Number(row.idle_ms)
  const requestMs = row.request_ms === null ? undefined : Number(row.request_ms)
  const left = leftMs({ total, settled: done + failed, requests, activeMs, requestMs })
  return left === undefined ? {} : { endsAt: new Date(now + left).toISOString() }
}

const detailOf = (row: Row, streams: StreamProgress[]): BackfillDetail => ({
  ...rowOf(row),
  definition: String(row.definition),
  ...(row.slice_days === null ? {} : { sliceDays: Number(row.slice_days) }),
  ...(row.parallel === null ? {} : { parallel: Number(row.parallel) }),
  perStream: streams,
})
