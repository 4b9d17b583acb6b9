import type pg from 'pg'
import type { AlertEvent, AlertKind, AlertMessage, AlertSeverity } from '../../core/alerts.js'
import { pushId } from '../../core/push.js'
import type { AlertRow, AlertStore, Condition, Delivery, DeliveryRow, Told, Verdict, Watched } from '../contract/alerts.js'
import { factsOf } from './alert-facts.js'
import { newestRuns } from './newest-runs.js'
import { onConnection, transaction } from './pool.js'
import { pushFactsOf } from './push-facts.js'
import { ofSync } from './words.js'

/** A sync that is applied nowhere is looked at so long after its newest run. */
const watchedAfterRun = `interval '7 days'`

const alertOf = (row: Record<string, unknown>): AlertRow => ({
  id: String(row.id),
  sync: String(row.sync),
  stream: String(row.stream),
  kind: row.kind as AlertKind,
  severity: row.severity as AlertSeverity,
  ...(row.reason === null ? {} : { reason: String(row.reason) }),
  message: String(row.message),
  ...(row.run_id === null ? {} : { run: String(row.run_id) }),
  since: (row.since as Date).toISOString(),
  openedAt: (row.opened_at as Date).toISOString(),
  lastSeenAt: (row.last_seen_at as Date).toISOString(),
  ...(row.resolved_at === null ? {} : { resolvedAt: (row.resolved_at as Date).toISOString() }),
  ...(row.resolution === null ? {} : { resolution: String(row.resolution) }),
  told: row.told as Told,
})

const deliveryOf = (row: Record<string, unknown>): DeliveryRow => ({
  id: String(row.id),
  target: String(row.target),
  sync: String(row.sync),
  kind: row.kind as AlertKind,
  event: row.event as AlertEvent,
  title: (row.message as AlertMessage).title,
  status: row.status as DeliveryRow['status'],
  attempts: Number(row.attempts),
  ...(row.status === 'pending' ? { nextAttemptAt: (row.next_attempt_at as Date).toISOString() } : {}),
  ...(row.last_error === null ? {} : { lastError: String(row.last_error) }),
  createdAt: (row.created_at as Date).toISOString(),
  ...(row.ended_at === null ? {} : { endedAt: (row.ended_at as Date).toISOString() }),
})

/** The first message of a target that waits, and may be tried. */
const isDue = `d.status = 'pending' AND d.next_attempt_at <= now() AND NOT EXISTS (SELECT 1 FROM _weir.alert_deliveries e
  WHERE e.target = d.target AND e.status = 'pending' AND e.ordinal < d.ordinal)`

/** What is open of a sync. Of two who look at once each would say the same: the second one waits, and sees what the first one wrote. */
async function hold(client: pg.ClientBase, sync: string): Promise<AlertRow[]> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`weir/alerts/${sync}`])
  const { rows } = await client.query('SELECT * FROM _weir.alerts WHERE sync = $1 AND resolved_at IS NULL ORDER BY id', [sync])
  return rows.map(alertOf)
}

export function createAlertStore(pool: pg.Pool): AlertStore {
  return {
    async watched(sync) {
      const { rows } = await pool.query<{ sync: string; definition: string; applied_at: Date | null }>(
        `${newestRuns(`r.kind IN ${ofSync}`)}
         SELECT sync, definition, applied_at FROM _weir.deployments WHERE $1::text IS NULL OR sync = $1
         UNION ALL
         SELECT n.sync, n.definition, NULL FROM newest n
          WHERE ($1::text IS NULL OR n.sync = $1) AND n.started_at > now() - ${watchedAfterRun}
            AND NOT EXISTS (SELECT 1 FROM _weir.deployments d WHERE d.sync = n.sync)
         ORDER BY 1`,
        [sync ?? null],
      )
      return rows.map(({ sync: name, definition, applied_at }) => ({
        sync: name,
        definition,
        ...(applied_at === null ? {} : { appliedAt: applied_at.toISOString() }),
      }))
    },

    look: (watched, { streams }, judge) =>
      transaction(pool, `Looking at sync ${watched.sync}`, async (client) => {
        const open = await hold(client, watched.sync)
        const facts = await factsOf(client, watched, Object.keys(streams))
        const written = await write(client, watched, judge(facts, open))
        const seen = facts.streams.flatMap(({ changes }) => changes.map(({ id }) => id))
        await client.query(
          `UPDATE _weir.schema_changes SET told_at = now() WHERE sync = $1 AND told_at IS NULL AND (id = ANY($2) OR change = 'table_created')`,
          [watched.sync, seen],
        )
        return written
      }),

    async watchedAudiences(audience) {
      const { rows } = await pool.query<{ audience: string; definition: string }>(
        `SELECT audience, definition FROM _weir.audience_deployments WHERE $1::text IS NULL OR audience = $1
         UNION ALL
         (SELECT DISTINCT ON (audience) audience, definition FROM _weir.audience_runs r
           WHERE ($1::text IS NULL OR audience = $1) AND started_at > now() - ${watchedAfterRun}
             AND NOT EXISTS (SELECT 1 FROM _weir.audience_deployments d WHERE d.audience = r.audience)
           ORDER BY audience, started_at DESC)
         ORDER BY 1`,
        [audience ?? null],
      )
      return rows
    },

    lookAtAudience: (watched, judge) =>
      transaction(pool, `Looking at audience ${watched.audience}`, async (client) => {
        const sync = pushId(watched.audience)
        const open = await hold(client, sync)
        return write(client, { sync, definition: watched.definition }, judge(await pushFactsOf(client, watched), open))
      }),

    async openByKind() {
      const { rows } = await pool.query<{ kind: AlertKind; alerts: number }>(
        'SELECT kind, count(*)::int AS alerts FROM _weir.alerts WHERE resolved_at IS NULL GROUP BY kind',
      )
      return rows
    },

    facts: (watched, { streams }) =>
      onConnection(pool, `Looking at sync ${watched.sync}`, (client) => factsOf(client, watched, Object.keys(streams))),

    endRound: (watched) =>
      transaction(pool, 'Ending a look at all syncs', async (client) => {
        const { rowCount } = await client.query(
          `UPDATE _weir.alerts SET resolved_at = now(), resolution = 'nobody looks at the sync any more' WHERE resolved_at IS NULL AND sync <> ALL($1)`,
          [watched],
        )
        await client.query(
          'INSERT INTO _weir.alert_watch (looked_at) VALUES (now()) ON CONFLICT (one) DO UPDATE SET looked_at = excluded.looked_at',
        )
        await client.query(`DELETE FROM _weir.alert_deliveries WHERE status <> 'pending' AND ended_at < now() - interval '30 days'`)
        await client.query(`DELETE FROM _weir.alerts WHERE resolved_at < now() - interval '90 days'`)
        return { resolved: rowCount ?? 0 }
      }),

    async sinceRoundMs() {
      const { rows } = await pool.query<{ ms: number }>(
        'SELECT (extract(epoch FROM now() - looked_at) * 1000)::float8 AS ms FROM _weir.alert_watch',
      )
      return rows[0]?.ms
    },

    async due() {
      const { rows } = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM _weir.alert_deliveries d WHERE ${isDue}`)
      return rows[0]!.n
    },

    async claim(limit, leaseMs) {
      const { rows } = await pool.query(
        `UPDATE _weir.alert_deliveries SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $2::float8 / 1000)
          WHERE id IN (SELECT id FROM _weir.alert_deliveries d WHERE ${isDue} ORDER BY ordinal LIMIT $1 FOR UPDATE SKIP LOCKED)
          RETURNING id, target, definition, target_index, message, attempts, (extract(epoch FROM now() - created_at) * 1000)::float8 AS age_ms`,
        [limit, leaseMs],
      )
      return rows.map(
        (row): Delivery => ({
          id: row.id,
          target: row.target,
          definition: row.definition,
          targetIndex: row.target_index,
          message: row.message,
          attempts: row.attempts,
          ageMs: row.age_ms,
        }),
      )
    },

    async settle({ id, attempts }, end) {
      // Whoever took it after our lease ended has the word.
      await pool.query(
        `UPDATE _weir.alert_deliveries SET status = $3, last_error = $4, next_attempt_at = coalesce(now() + make_interval(secs => $5::float8 / 1000), next_attempt_at),
           ended_at = CASE WHEN $3 <> 'pending' THEN now() END
          WHERE id = $1 AND status = 'pending' AND (attempts = $2 OR $3 = 'delivered')`,
        [id, attempts, end.status, 'error' in end ? end.error : null, 'afterMs' in end ? end.afterMs : null],
      )
    },

    async list({ sync, withResolved = false, limit }) {
      const { rows } = await pool.query(
        `SELECT * FROM _weir.alerts WHERE ($1::text IS NULL OR sync = $1) AND ($2 OR resolved_at IS NULL)
          ORDER BY resolved_at IS NOT NULL, severity, opened_at DESC, id DESC LIMIT $3`,
        [sync ?? null, withResolved, limit],
      )
      return rows.map(alertOf)
    },

    async deliveries({ undelivered = false, limit }) {
      const { rows } = await pool.query(
        `SELECT * FROM _weir.alert_deliveries WHERE NOT $1 OR (status = 'pending' AND last_error IS NOT NULL)
            OR (status = 'given_up' AND ended_at > now() - interval '7 days') ORDER BY ordinal DESC LIMIT $2`,
        [undelivered, limit],
      )
      return rows.map(deliveryOf)
    },
  }
}

async function write(client: pg.ClientBase, watched: Watched, verdict: Verdict): Promise<{ opened: number; resolved: number }> {
  const { sync, definition } = watched
  let opened = 0
  /** By kind and stream: messages name what they are about by these. */
  const ids = new Map<string, string>()
  const keep = async (condition: Condition & { told: Told }, isOver: boolean) => {
    const { rows } = await client.query<{ id: string; is_new: boolean }>(
      `INSERT INTO _weir.alerts (sync, stream, kind, severity, reason, message, run_id, since, told, resolved_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $10 THEN now() END)
       ON CONFLICT (sync, stream, kind) WHERE resolved_at IS NULL DO UPDATE SET severity = excluded.severity, reason = excluded.reason,
         message = excluded.message, run_id = excluded.run_id, since = excluded.since, told = excluded.told, last_seen_at = now()
       RETURNING id, xmax = 0 AS is_new`,
      [
        sync,
        condition.stream,
        condition.kind,
        condition.severity,
        condition.reason ?? null,
        condition.message,
        condition.run ?? null,
        condition.since,
        JSON.stringify(condition.told),
        isOver,
      ],
    )
    ids.set(`${condition.kind} ${condition.stream}`, rows[0]!.id)
    if (rows[0]!.is_new) opened += 1
  }
  const { rows: ended } = await client.query<{ id: string; kind: string; stream: string }>(
    `UPDATE _weir.alerts a SET resolved_at = now(), last_seen_at = now(), resolution = r.resolution
       FROM jsonb_to_recordset($1) AS r (id bigint, resolution text) WHERE a.id = r.id AND a.resolved_at IS NULL RETURNING a.id, a.kind, a.stream`,
    [JSON.stringify(verdict.resolved)],
  )
  for (const { id, kind, stream } of ended) ids.set(`${kind} ${stream}`, id)
  for (const condition of verdict.notices) await keep(condition, true)
  for (const condition of verdict.open) await keep(condition, false)
  for (const { target, targetIndex, streams, message } of verdict.messages) {
    await client.query(
      `INSERT INTO _weir.alert_deliveries (target, definition, target_index, sync, kind, event, alerts, message) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        target,
        definition,
        targetIndex,
        sync,
        message.kind,
        message.event,
        streams.map((stream) => ids.get(`${message.kind} ${stream}`)!),
        JSON.stringify(message),
      ],
    )
  }
  return { opened, resolved: ended.length }
}
