import type pg from 'pg'
import type { StreamStanding } from '../contract/standing.js'
import { newestRuns } from './newest-runs.js'
import { completed, ofSync } from './words.js'

/** The streams of each sync's newest run. Asked often, so it goes by indexes. */
const sql = `
${newestRuns()},
slices AS (SELECT sync, stream, count(*) AS n FROM _weir.checkpoints WHERE state = 'open' GROUP BY sync, stream),
letters AS (SELECT sync, stream, count(*) AS n FROM _weir.dead_letters WHERE status = 'open' GROUP BY sync, stream)
SELECT s.sync, t.stream, d.body -> 'connection' ->> 'type' AS vendor, coalesce(c.n, 0)::float8 AS slices, coalesce(l.n, 0)::float8 AS letters,
  (SELECT extract(epoch FROM now() - o.started_at)::float8 FROM _weir.stream_runs o JOIN _weir.runs r USING (run_id)
    WHERE o.sync = s.sync AND o.stream = t.stream AND o.status IN ${completed} AND r.kind IN ${ofSync}
    ORDER BY o.started_at DESC LIMIT 1) AS fresh
FROM newest s
JOIN _weir.definitions d ON d.hash = s.definition
CROSS JOIN LATERAL jsonb_object_keys(d.body -> 'streams') AS t (stream)
LEFT JOIN slices c ON c.sync = s.sync AND c.stream = t.stream
LEFT JOIN letters l ON l.sync = s.sync AND l.stream = t.stream
ORDER BY s.sync, t.stream`

export async function standing(pool: pg.Pool): Promise<StreamStanding[]> {
  const { rows } = await pool.query<{
    sync: string
    stream: string
    vendor: string
    slices: number
    letters: number
    fresh: number | null
  }>(sql)
  return rows.map(({ sync, stream, vendor, slices, letters, fresh }) => ({
    sync,
    stream,
    vendor,
    openSlices: slices,
    openLetters: letters,
    ...(fresh === null ? {} : { freshSeconds: fresh }),
  }))
}
