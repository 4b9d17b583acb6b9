import type pg from 'pg'
import type { PauseRow, PauseStore } from '../contract/pauses.js'
import { transaction } from './pool.js'

interface Row {
  run_id: string
  sync: string
  stream: string
  paused_at: Date
  paused_by: string
  reason: string
  resumed_at: Date | null
  resumed_by: string | null
}

export function createPauses(pool: pg.Pool): PauseStore {
  return {
    begin({ run, sync, stream }, { by, reason, at }) {
      return transaction(pool, `Noting a pause of ${sync}`, async (client) => {
        await client.query(
          `INSERT INTO _weir.pauses (run_id, sync, stream, paused_at, paused_by, reason) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
          [run, sync, stream ?? '', at, by, reason],
        )
        await setStatus(client, { run, stream }, 'running', 'paused')
      })
    },
    end({ run, stream }, { by, at }) {
      return transaction(pool, 'Noting the end of a pause', async (client) => {
        await client.query(
          `UPDATE _weir.pauses SET resumed_at = $3, resumed_by = $4 WHERE run_id = $1 AND ($2::text IS NULL OR stream = $2) AND resumed_at IS NULL`,
          [run, stream ?? null, at, by],
        )
        await setStatus(client, { run, stream }, 'paused', 'running')
      })
    },
    async list(run) {
      const { rows } = await pool.query<Row>('SELECT * FROM _weir.pauses WHERE run_id = $1 ORDER BY paused_at', [run])
      return rows.map(pauseOf)
    },
  }
}

/** A stream for which nothing was planned yet has no row; it gets one when it goes on. */
async function setStatus(
  client: pg.ClientBase,
  { run, stream }: { run: string; stream: string | undefined },
  from: 'running' | 'paused',
  to: 'running' | 'paused',
): Promise<void> {
  const where = 'run_id = $1 AND status = $3 AND finished_at IS NULL AND'
  const values = [run, stream ?? null, from, to]
  await client.query(`UPDATE _weir.runs SET status = $4 WHERE ${where} $2::text IS NULL`, values)
  await client.query(`UPDATE _weir.stream_runs SET status = $4 WHERE ${where} ($2::text IS NULL OR stream = $2)`, values)
}

const pauseOf = (row: Row): PauseRow => ({
  run: row.run_id,
  sync: row.sync,
  ...(row.stream === '' ? {} : { stream: row.stream }),
  at: row.paused_at.toISOString(),
  by: row.paused_by,
  reason: row.reason,
  ...(row.resumed_at === null ? {} : { resumedAt: row.resumed_at.toISOString() }),
  ...(row.resumed_by === null ? {} : { resumedBy: row.resumed_by }),
})
