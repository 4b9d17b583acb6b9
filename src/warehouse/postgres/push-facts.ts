/** What `_weir` says of the pushes of one audience, in the transaction that decides what to tell. */
import type pg from 'pg'
import type { PushStatus } from '../../core/audience.js'
import type { PushFacts, WatchedAudience } from '../contract/alerts.js'

interface Row {
  run_id: string
  status: PushStatus
  verdict: string[] | null
  reason: string | null
  message: string | null
  started_at: Date
  prepared_at: Date | null
  expires_at: Date | null
  finished_at: Date | null
}

export async function pushFactsOf(client: pg.ClientBase, watched: WatchedAudience): Promise<PushFacts> {
  const { audience } = watched
  const { rows: clock } = await client.query<{ now: Date }>('SELECT now()')
  const runs = `SELECT * FROM _weir.audience_runs WHERE audience = $1`
  const { rows: ended } = await client.query<Row>(
    `${runs} AND finished_at IS NOT NULL AND status <> 'cancelled' ORDER BY started_at DESC LIMIT 1`,
    [audience],
  )
  // One whose time is over and that has not ended was terminated: nobody can decide it any more.
  const { rows: waiting } = await client.query<Row>(
    `${runs} AND finished_at IS NULL AND status = 'waiting' AND expires_at > now() ORDER BY started_at DESC LIMIT 1`,
    [audience],
  )
  const [last] = ended
  const [open] = waiting
  const { rows: sent } = await client.query<PushFacts['sent'][number]>(
    `SELECT destination, sum(members)::int AS members, sum(rejected)::int AS rejected
       FROM _weir.audience_batches WHERE run_id = $1 AND state = 'done' GROUP BY destination ORDER BY destination`,
    [last?.run_id ?? ''],
  )
  return {
    ...watched,
    now: clock[0]!.now.toISOString(),
    ...(last
      ? {
          last: {
            run: last.run_id,
            status: last.status,
            ...(last.reason === null ? {} : { failure: { reason: last.reason, message: last.message ?? '' } }),
            verdict: last.verdict ?? [],
            finishedAt: last.finished_at!.toISOString(),
          },
        }
      : {}),
    ...(open
      ? {
          waiting: {
            run: open.run_id,
            verdict: open.verdict ?? [],
            since: (open.prepared_at ?? open.started_at).toISOString(),
            expiresAt: open.expires_at!.toISOString(),
          },
        }
      : {}),
    sent,
  }
}
