/** What `_weir` says of the pushes of one audience, in the transaction that decides what to tell. */
import type pg from 'pg'
import type { PushFacts, WatchedAudience } from '../contract/alerts.js'
import type { PushRow } from '../contract/audiences.js'
import { type Row, rowOf } from './audiences/runs.js'

export async function pushFactsOf(client: pg.ClientBase, watched: WatchedAudience): Promise<PushFacts> {
  const { audience } = watched
  const { rows: clock } = await client.query<{ now: Date }>('SELECT now()')
  const newest = async (which: string): Promise<PushRow | undefined> => {
    const { rows } = await client.query<Row>(
      `SELECT * FROM _weir.audience_runs WHERE audience = $1 AND ${which} ORDER BY started_at DESC LIMIT 1`,
      [audience],
    )
    return rows[0] && rowOf(rows[0])
  }
  const last = await newest("finished_at IS NOT NULL AND status <> 'cancelled'")
  // One whose time is over and that has not ended was terminated: nobody can decide it any more.
  const open = await newest("finished_at IS NULL AND status = 'waiting' AND expires_at > now()")
  const { rows: sent } = await client.query<PushFacts['sent'][number]>(
    `SELECT destination, sum(members)::int AS members, sum(rejected)::int AS rejected
       FROM _weir.audience_batches WHERE run_id = $1 AND state = 'done' GROUP BY destination ORDER BY destination`,
    [last?.run ?? ''],
  )
  return {
    ...watched,
    now: clock[0]!.now.toISOString(),
    ...(last ? { last: lastOf(last) } : {}),
    ...(open ? { waiting: waitingOf(open) } : {}),
    sent,
  }
}

const lastOf = ({ run, status, failure, verdict = [], finishedAt }: PushRow): NonNullable<PushFacts['last']> => ({
  run,
  status,
  ...(failure ? { failure } : {}),
  verdict,
  finishedAt: finishedAt!,
})

const waitingOf = ({ run, verdict = [], preparedAt, startedAt, expiresAt }: PushRow): NonNullable<PushFacts['waiting']> => ({
  run,
  verdict,
  since: preparedAt ?? startedAt,
  expiresAt: expiresAt!,
})
