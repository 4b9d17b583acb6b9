import type pg from 'pg'
import { reasons } from '../../core/failure.js'

/** The reasons of failures as a table, for views: written whenever they differ from the code's. */
export async function putReasons(client: pg.ClientBase): Promise<void> {
  const rows = Object.entries(reasons).map(([reason, { who, again, stops, next }]) => ({
    reason,
    acts: who,
    again,
    stops,
    next_command: next,
  }))
  await client.query(
    `INSERT INTO _weir.failure_reasons AS f SELECT * FROM jsonb_populate_recordset(NULL::_weir.failure_reasons, $1)
     ON CONFLICT (reason) DO UPDATE SET acts = excluded.acts, again = excluded.again, stops = excluded.stops, next_command = excluded.next_command
     WHERE f IS DISTINCT FROM excluded`,
    [JSON.stringify(rows)],
  )
}
