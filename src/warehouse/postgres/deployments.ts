import type pg from 'pg'
import type { Schedule } from '../../core/definition.js'
import type { AudienceDeploymentStore, DeploymentStore, InForce, StreamNeed } from '../contract/deployments.js'
import { completed, ofSync } from './words.js'

interface Row {
  name: string
  definition: string
  schedule: Schedule | null
  after: string[]
  environment: string | null
  applied_at: Date
  applied_by: string
  schedule_mark: string | null
  paused: string | null
  retired_at: Date | null
}

/** SQL: has each sync that `d` runs after completed since `own.at`? */
const hasTurn = `NOT EXISTS (
  SELECT FROM unnest(d.after) AS other (sync) WHERE NOT EXISTS (
    SELECT FROM _weir.runs r WHERE r.sync = other.sync AND r.finished_at > own.at AND r.kind IN ${ofSync}
       AND r.status IN ${completed}))`

/** What is in force, in a table whose rows are named by `column`. */
const inForce = (pool: pg.Pool, table: string, column: 'sync' | 'audience') => ({
  async list() {
    const { rows } = await pool.query<Row>(`SELECT *, ${column} AS name FROM ${table} ORDER BY ${column}`)
    return rows.map(({ name, ...row }) => ({ name, ...deploymentOf(row) }))
  },
  async put(deployments: readonly object[]) {
    await pool.query(
      `INSERT INTO ${table} (${column}, definition, schedule, after, environment, applied_by)
       SELECT ${column}, definition, schedule, after, environment, "appliedBy"
       FROM jsonb_to_recordset($1) AS new (${column} text, definition text, schedule jsonb, after text[], environment text, "appliedBy" text)
       ON CONFLICT (${column}) DO UPDATE SET definition = excluded.definition, schedule = excluded.schedule, after = excluded.after,
         environment = excluded.environment, applied_by = excluded.applied_by, applied_at = now(), retired_at = NULL`,
      [JSON.stringify(deployments)],
    )
  },
  async mark(name: string, scheduleMark: string | undefined) {
    await pool.query(`UPDATE ${table} SET schedule_mark = $2 WHERE ${column} = $1`, [name, scheduleMark ?? null])
  },
  async pause(name: string, note: string | undefined) {
    await pool.query(`UPDATE ${table} SET paused = $2 WHERE ${column} = $1`, [name, note ?? null])
  },
  async retire(names: readonly string[]) {
    await pool.query(`UPDATE ${table} SET retired_at = now() WHERE ${column} = ANY ($1) AND retired_at IS NULL`, [names])
  },
  async remove(names: readonly string[]) {
    await pool.query(`DELETE FROM ${table} WHERE ${column} = ANY ($1)`, [names])
  },
})

const deploymentOf = ({ schedule, environment, ...row }: Omit<Row, 'name'>): InForce => ({
  definition: row.definition,
  ...(schedule === null ? {} : { schedule }),
  after: row.after,
  ...(environment === null ? {} : { environment }),
  appliedAt: row.applied_at.toISOString(),
  appliedBy: row.applied_by,
  ...(row.schedule_mark === null ? {} : { scheduleMark: row.schedule_mark }),
  ...(row.paused === null ? {} : { paused: row.paused }),
  ...(row.retired_at === null ? {} : { retiredAt: row.retired_at.toISOString() }),
})

export function createAudienceDeployments(pool: pg.Pool): AudienceDeploymentStore {
  const common = inForce(pool, '_weir.audience_deployments', 'audience')
  return {
    ...common,
    list: async () => (await common.list()).map(({ name, ...rest }) => ({ audience: name, ...rest })),
    async due(of) {
      const { rows } = await pool.query<{ audience: string; definition: string }>(
        `SELECT d.audience, d.definition FROM _weir.audience_deployments d
          CROSS JOIN LATERAL (SELECT coalesce(max(r.started_at), '-infinity') AS at FROM _weir.audience_runs r
                               WHERE r.audience = d.audience) AS own
          WHERE ($1 = ANY (d.after) OR d.audience = $2) AND cardinality(d.after) > 0 AND d.retired_at IS NULL AND d.paused IS NULL AND ${hasTurn}
          ORDER BY d.audience`,
        ['sync' in of ? of.sync : null, 'audience' in of ? of.audience : null],
      )
      return rows
    },
  }
}

export function createDeployments(pool: pg.Pool): DeploymentStore {
  const common = inForce(pool, '_weir.deployments', 'sync')
  return {
    ...common,
    list: async () => (await common.list()).map(({ name, ...rest }) => ({ sync: name, ...rest })),
    async installation() {
      const { rows } = await pool.query<{ id: string }>('SELECT id FROM _weir.installation')
      return rows[0]!.id
    },
    async due(sync) {
      const { rows } = await pool.query<{ sync: string; definition: string }>(
        `SELECT d.sync, d.definition FROM _weir.deployments d
          CROSS JOIN LATERAL (SELECT coalesce(max(r.started_at), '-infinity') AS at FROM _weir.runs r
                               WHERE r.sync = d.sync AND r.kind IN ${ofSync}) AS own
          WHERE ($1 = ANY (d.after) OR (d.sync = $1 AND cardinality(d.after) > 0)) AND d.retired_at IS NULL AND d.paused IS NULL
            AND ${hasTurn}
          ORDER BY d.sync`,
        [sync],
      )
      return rows
    },
    async needs(sync) {
      const { rows } = await pool.query<NeedRow>(
        `WITH done AS (
           SELECT run_id, s.stream, s.requests, s.started_at, greatest(0, extract(epoch FROM s.finished_at - s.started_at) * 1000) AS ms,
                  row_number() OVER (PARTITION BY s.stream ORDER BY s.started_at DESC) AS age,
                  row_number() OVER (PARTITION BY s.stream ORDER BY s.requests DESC, s.started_at DESC) AS size
             FROM _weir.stream_runs s JOIN _weir.runs r USING (run_id)
            WHERE s.sync = $1 AND s.status IN ${completed} AND r.kind IN ${ofSync}),
         ranges AS (
           SELECT d.stream, sum(d.requests) AS requests, count(*) AS runs, sum(h.days) AS days
             FROM done d JOIN (SELECT run_id, stream, max(extract(epoch FROM watermark_after - watermark_before)) / 86400 AS days
                                 FROM _weir.state_history WHERE sync = $1 AND kind = 'run' AND watermark_before IS NOT NULL
                                GROUP BY run_id, stream) h USING (run_id, stream)
            WHERE d.age <= 20 GROUP BY d.stream)
         SELECT l.stream, l.requests AS last_requests, l.ms AS last_ms, m.requests AS most_requests, m.ms AS most_ms,
                coalesce(r.days, 0) AS days, coalesce(r.requests, 0) AS range_requests, coalesce(r.runs, 0) AS range_runs
           FROM done l JOIN done m ON m.stream = l.stream AND m.size = 1 LEFT JOIN ranges r ON r.stream = l.stream
          WHERE l.age = 1 ORDER BY l.stream`,
        [sync],
      )
      return rows.map(needOf)
    },
  }
}

type NeedRow = { stream: string } & Record<
  'last_requests' | 'last_ms' | 'most_requests' | 'most_ms' | 'days' | 'range_requests' | 'range_runs',
  string
>

const needOf = (row: NeedRow): StreamNeed => ({
  stream: row.stream,
  last: { requests: Number(row.last_requests), ms: Number(row.last_ms) },
  most: { requests: Number(row.most_requests), ms: Number(row.most_ms) },
  ranges: { days: Number(row.days), requests: Number(row.range_requests), runs: Number(row.range_runs) },
})
