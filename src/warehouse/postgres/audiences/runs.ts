/** Pushes and what stands in the ledger, for people and for the workflow. */
import type pg from 'pg'
import type { MemberState, PushStatus, Target } from '../../../core/audience.js'
import type { AudienceStore, DestinationRow, MemberRow, Prepared, PushRow } from '../../contract/audiences.js'
import type { Append } from '../audit.js'
import { transaction } from '../pool.js'
import { asked, ended, judged } from './audit.js'
import { endErasures, forget } from './erased.js'

type Runs = Pick<
  AudienceStore,
  'begin' | 'setStatus' | 'decide' | 'target' | 'skip' | 'finish' | 'runs' | 'destinations' | 'members' | 'standing' | 'retry'
>

export interface Row {
  run_id: string
  audience: string
  definition: string
  kind: string
  requested_by: string | null
  status: PushStatus
  started_at: Date
  prepared_at: Date | null
  finished_at: Date | null
  prepared: Prepared | null
  verdict: string[] | null
  notes: string[] | null
  decided_by: string | null
  decided_at: Date | null
  is_approved: boolean | null
  expires_at: Date | null
  skipped: number
  skipped_at: Date | null
  reason: string | null
  message: string | null
}

export function createAudienceRuns(pool: pg.Pool, append: Append): Runs {
  return {
    async begin(push) {
      const { run, audience, definition, kind, requestedBy } = push
      await transaction(pool, 'Noting a push', async (client) => {
        const { rowCount } = await client.query(
          `INSERT INTO _weir.audience_runs (run_id, audience, definition, kind, requested_by, status)
           VALUES ($1, $2, $3, $4, $5, 'preparing') ON CONFLICT DO NOTHING`,
          [run, audience, definition, kind, requestedBy ?? null],
        )
        if (rowCount === 1) await append(client, asked(push))
      })
    },
    async setStatus(run, status, { verdict, notes, expiresAt, failure } = {}) {
      await transaction(pool, 'Noting how a push stands', async (client) => {
        const before = await pushOf(client, run)
        await client.query(
          `UPDATE _weir.audience_runs SET status = $2, verdict = coalesce($3, verdict), expires_at = coalesce($4, expires_at),
             reason = coalesce($5, reason), message = coalesce($6, message), notes = coalesce($7, notes) WHERE run_id = $1 AND finished_at IS NULL`,
          [
            run,
            status,
            verdict ? JSON.stringify(verdict) : null,
            expiresAt ?? null,
            failure?.reason ?? null,
            failure?.message ?? null,
            notes ? JSON.stringify(notes) : null,
          ],
        )
        if (verdict && !before.verdict) await append(client, await judged(client, before, verdict))
        // A push may wait for days; removals that are owed have gone out.
        if (expiresAt === undefined) return
        await forget(client, before.audience, run)
        await endErasures(client, append)
      })
    },
    async decide(run, changeSet, { by, isApproved }) {
      return transaction(pool, 'Noting a decision', async (client) => {
        const { rows } = await client.query<{ audience: string }>(
          `UPDATE _weir.audience_runs SET decided_by = $3, decided_at = now(), is_approved = $4
           WHERE run_id = $1 AND change_set = $2 AND decided_at IS NULL AND finished_at IS NULL AND (expires_at IS NULL OR expires_at > now())
           RETURNING audience`,
          [run, changeSet, by, isApproved],
        )
        if (!rows[0]) return false
        await append(client, {
          event: isApproved ? 'push_approved' : 'push_rejected',
          by,
          audience: rows[0].audience,
          run,
          detail: { changeSet },
        })
        return true
      })
    },
    target: (run, destination, target) =>
      transaction(pool, 'Noting where a push goes', async (client) => {
        const before = async (isGood: boolean) => {
          const { rows } = await client.query<{ audience: string; target: Target }>(
            `SELECT r.audience, d.target FROM _weir.audience_destination_runs AS d JOIN _weir.audience_runs AS r USING (run_id)
             WHERE r.audience = (SELECT audience FROM _weir.audience_runs WHERE run_id = $1) AND d.destination = $2 AND d.run_id <> $1
               AND d.target IS NOT NULL AND (NOT $3 OR r.status IN ('completed', 'completed_with_rejections'))
             ORDER BY r.started_at DESC LIMIT 1`,
            [run, destination, isGood],
          )
          return rows[0]
        }
        // A repeat goes by what the first attempt noted: only that one knows whether it made the list.
        const { rows } = await client.query<{ target: Target; is_first: boolean }>(
          `INSERT INTO _weir.audience_destination_runs AS d (run_id, destination, target) VALUES ($1, $2, $3)
           ON CONFLICT (run_id, destination) DO UPDATE SET target = d.target RETURNING d.target, d.xmax = 0 AS is_first`,
          [run, destination, JSON.stringify(target)],
        )
        const { target: noted, is_first: isFirst } = rows[0]!
        const isOther = (old: Target) => old.id !== noted.id || noted.isNew === true
        const last = await before(false)
        if (isFirst && last && isOther(last.target)) {
          const [set, back] = [`${destination}@${last.target.id}`, `${destination}@${noted.id}`]
          const rename = (from: string, to: string) =>
            client.query('UPDATE _weir.audience_members SET destination = $3 WHERE audience = $1 AND destination = $2', [
              last.audience,
              from,
              to,
            ])
          await rename(destination, set)
          // What was made just now holds nobody, whatever its id once stood for.
          if (noted.isNew)
            await client.query('DELETE FROM _weir.audience_members WHERE audience = $1 AND destination = $2', [last.audience, back])
          else await rename(back, destination)
        }
        const good = await before(true)
        return good && isOther(good.target) ? good.target : undefined
      }),
    async skip(audience) {
      const { rows } = await pool.query<Row>(
        `UPDATE _weir.audience_runs SET skipped = skipped + 1, skipped_at = now() WHERE run_id =
           (SELECT run_id FROM _weir.audience_runs WHERE audience = $1 AND finished_at IS NULL ORDER BY started_at DESC LIMIT 1) RETURNING *`,
        [audience],
      )
      return rows[0] && rowOf(rows[0])
    },
    async finish(run, status, failure) {
      return transaction(pool, 'Ending a push', async (client) => {
        const { rowCount } = await client.query(
          `UPDATE _weir.audience_runs SET status = $2, finished_at = now(), reason = $3, message = $4 WHERE run_id = $1 AND finished_at IS NULL`,
          [run, status, failure?.reason ?? null, failure?.message ?? null],
        )
        await client.query(
          'UPDATE _weir.audience_changes SET identifiers = NULL, fields = NULL WHERE run_id = $1 AND identifiers IS NOT NULL',
          [run],
        )
        const row = await pushOf(client, run)
        const end = ended(row, await destinationsOf(client, run))
        await forget(client, row.audience, run)
        if (rowCount === 1) await append(client, end)
        await endErasures(client, append)
        return row
      })
    },
    async runs({ audience, run, status, limit }) {
      const { rows } = await pool.query<Row>(
        `SELECT * FROM _weir.audience_runs WHERE ($1::text IS NULL OR audience = $1) AND ($2::text IS NULL OR run_id = $2)
           AND ($3::text[] IS NULL OR status = ANY ($3)) ORDER BY started_at DESC LIMIT $4`,
        [audience ?? null, run ?? null, status ?? null, limit],
      )
      return rows.map(rowOf)
    },
    destinations: (run) => destinationsOf(pool, run),
    async members({ audience, destination, state, key, limit }) {
      const { rows } = await pool.query<MemberSql>(
        `SELECT audience, destination, key, state, cause, vendor_id, reason, message, attempts, run_id, changed_at FROM _weir.audience_members
         WHERE audience = $1 AND ($2::text IS NULL OR destination = $2) AND ($3::text[] IS NULL OR state = ANY ($3)) AND ($4::text IS NULL OR key = $4)
         ORDER BY changed_at DESC, key LIMIT $5`,
        [audience, destination ?? null, state ?? null, key ?? null, limit],
      )
      return rows.map(memberOf)
    },
    retry({ audience, destination, reason, by, isDryRun }) {
      return transaction(pool, 'Letting members be tried again', async (client) => {
        const isMeant = `audience = $1 AND ($2::text IS NULL OR destination = $2) AND ($3::text IS NULL OR reason = $3)
          AND (state = 'dead' OR state = 'rejected' AND is_final)`
        const meant = [audience, destination ?? null, reason ?? null]
        const { rows } = await client.query<{ destination: string; reason: string; members: number }>(
          `SELECT destination, coalesce(reason, '') AS reason, count(*)::int AS members FROM _weir.audience_members WHERE ${isMeant} GROUP BY 1, 2 ORDER BY 1, 2`,
          meant,
        )
        if (isDryRun || rows.length === 0) return rows
        await client.query(
          `UPDATE _weir.audience_members SET state = 'rejected', is_final = false, attempts = 0, changed_at = now() WHERE ${isMeant}`,
          meant,
        )
        await append(client, { event: 'members_retried', by, audience, detail: { destinations: rows } })
        return rows
      })
    },
    async standing(audience) {
      const { rows } = await pool.query<{ destination: string; state: MemberState; members: number }>(
        'SELECT destination, state, count(*)::int AS members FROM _weir.audience_members WHERE audience = $1 GROUP BY destination, state ORDER BY 1, 2',
        [audience],
      )
      return rows
    },
  }
}

async function pushOf(client: pg.ClientBase, run: string): Promise<PushRow> {
  const { rows } = await client.query<Row>('SELECT * FROM _weir.audience_runs WHERE run_id = $1', [run])
  return rowOf(rows[0]!)
}

async function destinationsOf(client: pg.ClientBase | pg.Pool, run: string): Promise<DestinationRow[]> {
  const { rows } = await client.query<DestinationRow & { target: Target | null }>(
    `SELECT r.run_id AS run, r.audience, d.destination, d.target, coalesce(b.accepted + b.confirmed + b.rejected + b.removed, 0) AS sent,
       coalesce(b.accepted, 0) AS accepted, coalesce(b.confirmed, 0) AS confirmed, coalesce(b.rejected, 0) AS rejected,
       coalesce(b.removed, 0) AS removed, coalesce(b.batches, 0) AS batches,
       (SELECT count(*)::int FROM _weir.audience_changes AS c WHERE c.run_id = $1 AND c.destination = d.destination AND c.state = 'dropped') AS dropped,
       (SELECT count(*)::int FROM _weir.audience_members AS m WHERE m.audience = r.audience AND m.destination = d.destination AND m.run_id = $1
          AND m.state = 'dead') AS dead
     FROM _weir.audience_runs AS r JOIN _weir.audience_destination_runs AS d USING (run_id)
     LEFT JOIN (SELECT destination, sum(accepted)::int AS accepted, sum(confirmed)::int AS confirmed, sum(rejected)::int AS rejected,
         sum(removed)::int AS removed, count(*)::int AS batches FROM _weir.audience_batches WHERE run_id = $1 GROUP BY destination) AS b
       ON b.destination = d.destination
     WHERE r.run_id = $1 ORDER BY d.destination`,
    [run],
  )
  return rows.map(({ target, ...row }) => ({ ...row, ...(target ? { target } : {}) }))
}

interface MemberSql {
  audience: string
  destination: string
  key: string
  state: MemberState
  cause: MemberRow['cause'] & string
  vendor_id: string | null
  reason: string | null
  message: string | null
  attempts: number
  run_id: string
  changed_at: Date
}

const memberOf = ({ vendor_id, reason, message, run_id, changed_at, ...row }: MemberSql): MemberRow => ({
  ...row,
  ...(vendor_id === null ? {} : { vendorId: vendor_id }),
  ...(reason === null ? {} : { reason }),
  ...(message === null ? {} : { message }),
  run: run_id,
  changedAt: changed_at.toISOString(),
})

export const rowOf = (row: Row): PushRow => ({
  run: row.run_id,
  audience: row.audience,
  definition: row.definition,
  kind: row.kind,
  status: row.status,
  startedAt: row.started_at.toISOString(),
  ...(row.requested_by === null ? {} : { requestedBy: row.requested_by }),
  ...(row.prepared_at ? { preparedAt: row.prepared_at.toISOString() } : {}),
  ...(row.finished_at ? { finishedAt: row.finished_at.toISOString() } : {}),
  ...(row.prepared ? { prepared: row.prepared } : {}),
  ...(row.verdict ? { verdict: row.verdict } : {}),
  ...(row.notes && row.notes.length > 0 ? { notes: row.notes } : {}),
  ...(row.expires_at ? { expiresAt: row.expires_at.toISOString() } : {}),
  ...(row.skipped_at ? { skipped: { pushes: row.skipped, newestAt: row.skipped_at.toISOString() } } : {}),
  ...(row.decided_by !== null && row.decided_at && row.is_approved !== null
    ? { decision: { by: row.decided_by, at: row.decided_at.toISOString(), isApproved: row.is_approved } }
    : {}),
  ...(row.reason === null ? {} : { failure: { reason: row.reason, message: row.message ?? '' } }),
})
