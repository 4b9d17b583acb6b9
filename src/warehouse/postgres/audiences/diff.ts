/** What pushes changed between two of them, by what destinations took; from the frozen change sets, which name people by their keys. */
import type pg from 'pg'
import type { AudienceDiff, AudienceStore, ChangedMember } from '../../contract/audiences.js'

/** How each person stood after the push `$2` (none: before the first) and after `$3`, of audience `$1`. What was not taken changed nothing. */
const people = `
  WITH runs AS (
    SELECT run_id, started_at, coalesce(started_at <= (SELECT started_at FROM _weir.audience_runs WHERE run_id = $2), false) AS is_before
    FROM _weir.audience_runs
    WHERE audience = $1 AND started_at <= (SELECT started_at FROM _weir.audience_runs WHERE run_id = $3)),
  changes AS (
    SELECT c.destination, c.key, c.identity, c.action, c.cause, r.is_before,
      row_number() OVER (PARTITION BY c.destination, c.key, c.identity, r.is_before ORDER BY r.started_at DESC, c.seq DESC) AS nth
    FROM _weir.audience_changes AS c JOIN runs AS r USING (run_id)
    WHERE c.state = 'done' AND ($4::text IS NULL OR c.destination = $4)),
  members AS (
    SELECT destination, key, identity, bool_or(action IN ('add', 'update')) FILTER (WHERE is_before AND nth = 1) AS was_held,
      bool_or(action IN ('add', 'update')) FILTER (WHERE NOT is_before AND nth = 1) AS is_held,
      bool_or(NOT is_before AND cause <> 'renewed') AS is_touched, max(cause) FILTER (WHERE NOT is_before AND nth = 1) AS cause
    FROM changes GROUP BY destination, key, identity),
  people AS (
    SELECT destination, key, bool_or(coalesce(was_held, false)) AS was_held, bool_or(coalesce(is_held, was_held, false)) AS is_held,
      bool_or(is_touched) AS is_touched, max(cause) AS cause
    FROM members GROUP BY destination, key),
  differing AS (
    SELECT destination, key, cause, CASE WHEN NOT was_held THEN 'joined' WHEN NOT is_held THEN 'left' ELSE 'changed' END AS what
    FROM people WHERE was_held <> is_held OR was_held AND is_held AND is_touched)`

export async function diff(
  pool: pg.Pool,
  { audience, from, to, destination, limit }: Parameters<AudienceStore['diff']>[0],
): Promise<AudienceDiff> {
  const between = [audience, from ?? null, to, destination ?? null]
  const { rows: sums } = await pool.query<{ destination: string; what: ChangedMember['what']; members: number }>(
    `${people} SELECT destination, what, count(*)::int AS members FROM differing GROUP BY 1, 2`,
    between,
  )
  const { rows: changes } = await pool.query<AudienceDiff['changes'][number]>(
    `${people} SELECT destination, action, cause, count(*)::int AS members FROM changes WHERE NOT is_before AND action <> 'forget' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    between,
  )
  const { rows: members } = await pool.query<ChangedMember>(
    `${people} SELECT destination, key, what, cause FROM differing ORDER BY destination, what, key LIMIT $5`,
    [...between, limit],
  )
  const names = [...new Set([...sums, ...changes].map((one) => one.destination))].sort()
  const sum = (name: string, what: ChangedMember['what']) => sums.find((one) => one.destination === name && one.what === what)?.members ?? 0
  return {
    destinations: names.map((name) => ({
      destination: name,
      joined: sum(name, 'joined'),
      left: sum(name, 'left'),
      changed: sum(name, 'changed'),
    })),
    changes,
    members,
  }
}
