/** What `_weir` says of one sync: a few short queries, each along an index, in the transaction that decides what to tell. */
import type pg from 'pg'
import type { RunStatus } from '../../core/activities.js'
import type { WaitsFor } from '../../core/failure.js'
import type { FactOfChange, StreamFacts, SyncFacts, Watched } from '../contract/alerts.js'
import { failureOf } from './failures.js'
import { completed, notPassed, ofSync } from './words.js'

/** Replays and backfills say nothing of how the sync itself stands. */
const ownRuns = `r.kind IN ${ofSync}`
/** A wait that is over is looked at a little longer: the next one may follow at once. */
const waitGrace = `interval '5 minutes'`

interface StreamRow {
  stream: string
  run_id: string | null
  status: string | null
  failure_reason: string | null
  failure_message: string | null
  finished_at: Date | null
  first_run_at: Date | null
  completed_from: Date | null
  watermark: Date | null
  waiting_since: Date | null
  wait_until: Date | null
  waiting_for: WaitsFor | null
}

/** @param streams those of the definition */
export async function factsOf(client: pg.ClientBase, watched: Watched, streams: readonly string[]): Promise<SyncFacts> {
  const { sync } = watched
  const { rows: clock } = await client.query<{ now: Date }>('SELECT now()')
  const { rows: runs } = await client.query(
    `SELECT r.run_id, r.status, r.failure_reason, r.failure_message, r.finished_at,
            (SELECT count(*) FROM _weir.stream_runs s WHERE s.run_id = r.run_id AND s.status = 'failed')::int AS failed_streams
       FROM _weir.runs r WHERE r.sync = $1 AND ${ownRuns} AND r.finished_at IS NOT NULL AND r.status <> 'cancelled'
      ORDER BY r.started_at DESC LIMIT 1`,
    [sync],
  )
  const { rows } = await client.query<StreamRow>(
    `SELECT name AS stream, last.*, first.first_run_at, good.completed_from, mark.watermark, wait.*
       FROM unnest($2::text[]) name
       LEFT JOIN LATERAL (SELECT s.run_id, s.status, s.failure_reason, s.failure_message, s.finished_at
              FROM _weir.stream_runs s JOIN _weir.runs r USING (run_id)
             WHERE s.sync = $1 AND s.stream = name AND ${ownRuns} AND r.finished_at IS NOT NULL AND s.finished_at IS NOT NULL
               AND s.status <> 'cancelled' ORDER BY s.started_at DESC LIMIT 1) last ON true
       LEFT JOIN LATERAL (SELECT started_at AS first_run_at FROM _weir.stream_runs s
             WHERE s.sync = $1 AND s.stream = name ORDER BY s.started_at LIMIT 1) first ON true
       LEFT JOIN LATERAL (SELECT s.started_at AS completed_from FROM _weir.stream_runs s JOIN _weir.runs r USING (run_id)
             WHERE s.sync = $1 AND s.stream = name AND s.status IN ${completed} AND ${ownRuns}
             ORDER BY s.started_at DESC LIMIT 1) good ON true
       LEFT JOIN LATERAL (SELECT min(w.watermark) AS watermark FROM _weir.watermarks w WHERE w.sync = $1 AND w.stream = name) mark ON true
       LEFT JOIN LATERAL (SELECT min(c.waiting_since) AS waiting_since, max(c.waiting_until) AS wait_until,
              (array_agg(c.waiting_for ORDER BY c.waiting_until DESC))[1] AS waiting_for FROM _weir.checkpoints c
             WHERE c.sync = $1 AND c.stream = name AND c.state = 'open' AND c.waiting_until > now() - ${waitGrace}) wait ON true`,
    [sync, streams],
  )
  const [letters, checks, changes] = [await lettersOf(client, sync), await checksOf(client, sync, streams), await changesOf(client, sync)]
  const { rows: failed } = await client.query<{
    id: string
    failure_reason: string | null
    failure_message: string | null
    finished_at: Date
  }>(
    `SELECT id, failure_reason, failure_message, finished_at FROM _weir.backfills
      WHERE sync = $1 AND status = 'failed' AND finished_at > now() - interval '7 days' ORDER BY finished_at DESC`,
    [sync],
  )
  const last = runs[0]
  return {
    ...watched,
    now: clock[0]!.now.toISOString(),
    ...(last === undefined
      ? {}
      : {
          lastRun: {
            run: String(last.run_id),
            status: last.status as RunStatus,
            ...failureOf(last),
            finishedAt: (last.finished_at as Date).toISOString(),
            failedStreams: Number(last.failed_streams),
          },
        }),
    streams: rows.map((row) => streamOf(row, { letters, checks, changes })),
    failedBackfills: failed.map((row) => ({ id: row.id, ...failureOf(row), finishedAt: row.finished_at.toISOString() })),
  }
}

interface OfStreams {
  letters: ReadonlyMap<string, StreamFacts['letters'][number][]>
  checks: ReadonlyMap<string, StreamFacts['checks'][number][]>
  changes: readonly (FactOfChange & { stream: string; isPending: boolean })[]
}

function streamOf(row: StreamRow, { letters, checks, changes }: OfStreams): StreamFacts {
  const own = changes.filter(({ stream }) => stream === row.stream)
  const facts = (isPending: boolean): FactOfChange[] =>
    own.filter((change) => change.isPending === isPending).map(({ stream: _, isPending: __, ...fact }) => fact)
  const instant = (key: string, at: Date | null) => (at === null ? {} : { [key]: at.toISOString() })
  return {
    stream: row.stream,
    ...(row.run_id === null
      ? {}
      : { last: { run: row.run_id, status: row.status as RunStatus, ...failureOf(row), finishedAt: row.finished_at!.toISOString() } }),
    ...instant('firstRunAt', row.first_run_at),
    ...instant('completedFrom', row.completed_from),
    ...instant('watermark', row.watermark),
    letters: letters.get(row.stream) ?? [],
    checks: checks.get(row.stream) ?? [],
    changes: facts(false),
    pending: facts(true),
    ...(row.waiting_since === null
      ? {}
      : { wait: { since: row.waiting_since.toISOString(), until: row.wait_until!.toISOString(), for: row.waiting_for ?? 'quota' } }),
  }
}

function byStream<R extends { stream: string }, T>(rows: readonly R[], fact: (row: R) => T): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const row of rows) found.set(row.stream, [...(found.get(row.stream) ?? []), fact(row)])
  return found
}

async function lettersOf(client: pg.ClientBase, sync: string): Promise<OfStreams['letters']> {
  const { rows } = await client.query<{ stream: string; reason: string; letters: number; first: Date; newest: Date }>(
    `SELECT stream, reason, count(*)::int AS letters, min(first_seen_at) AS first, max(first_seen_at) AS newest
       FROM _weir.dead_letters WHERE sync = $1 AND status = 'open' GROUP BY stream, reason ORDER BY stream, letters DESC, reason`,
    [sync],
  )
  return byStream(rows, ({ reason, letters, first, newest }) => ({
    reason,
    letters,
    firstSeenAt: first.toISOString(),
    newestAt: newest.toISOString(),
  }))
}

async function checksOf(client: pg.ClientBase, sync: string, streams: readonly string[]): Promise<OfStreams['checks']> {
  const { rows } = await client.query<{
    stream: string
    check_name: string
    severity: string
    message: string
    checked_at: Date
    run_id: string
  }>(
    `SELECT q.stream, q.check_name, q.severity, q.message, q.checked_at, q.run_id
       FROM unnest($2::text[]) name
       CROSS JOIN LATERAL (SELECT run_id FROM _weir.quality_results WHERE sync = $1 AND stream = name ORDER BY checked_at DESC LIMIT 1) newest
       JOIN _weir.quality_results q ON q.run_id = newest.run_id AND q.stream = name
      WHERE q.status IN ${notPassed} ORDER BY q.stream, q.ordinal`,
    [sync, streams],
  )
  return byStream(rows, ({ check_name, severity, message, checked_at, run_id }) => ({
    check: check_name,
    isBlocking: severity === 'block',
    message,
    checkedAt: checked_at.toISOString(),
    run: run_id,
  }))
}

/** Those that wait for a person, and those that nobody was told of yet. What came with a new table is no change of it. */
async function changesOf(client: pg.ClientBase, sync: string): Promise<OfStreams['changes']> {
  const { rows } = await client.query<{ id: string; stream: string; change: string; field: string | null; status: string; at: Date }>(
    `SELECT id, stream, change, coalesce(field, column_name) AS field, status, created_at AS at FROM _weir.schema_changes c
      WHERE sync = $1 AND (status = 'pending' OR (told_at IS NULL AND status IN ('applied', 'noted', 'captured') AND change <> 'table_created'
        AND NOT EXISTS (SELECT 1 FROM _weir.schema_changes t WHERE t.change = 'table_created' AND t.sync = $1 AND t.stream = c.stream
          AND t.run_id = c.run_id))) ORDER BY id`,
    [sync],
  )
  return rows.map(({ id, stream, change, field, status, at }) => ({
    id: Number(id),
    stream,
    change,
    ...(field === null ? {} : { field }),
    createdAt: at.toISOString(),
    isPending: status === 'pending',
  }))
}
