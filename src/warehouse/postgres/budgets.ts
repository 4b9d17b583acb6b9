import type pg from 'pg'
import type { BudgetKey, BudgetStore } from '../../core/ports.js'
import { onConnection } from './pool.js'

/**
 * Budgets in `_weir.budgets`, a row each, locked while its state moves on: two round trips, and no other service. The clock is the
 * database's, so workers whose clocks differ count alike. A commit does not wait for the disk: a server that crashes may forget the last
 * half second, in which no window of a budget is spent anew, since it takes longer than that to come back.
 */
export function createBudgetStore(pool: pg.Pool): BudgetStore {
  return {
    async update<S, T>(key: BudgetKey, change: (state: S | undefined, nowMs: number) => { state: S; answer: T }) {
      return onConnection(pool, `Taking permits of ${key.vendor}`, async (client) => {
        const [vendor, account, budget] = [key.vendor, key.account, key.budget].map((part) => client.escapeLiteral(part))
        const row = `vendor = ${vendor} AND account = ${account} AND budget = ${budget}`
        const lock = `SELECT state, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now FROM _weir.budgets WHERE ${row} FOR UPDATE`
        const insert = `INSERT INTO _weir.budgets (vendor, account, budget) VALUES (${vendor}, ${account}, ${budget}) ON CONFLICT DO NOTHING`
        const found =
          (await locked<S>(client, `BEGIN; SET LOCAL synchronous_commit = off; ${lock}`)) ?? (await locked<S>(client, `${insert}; ${lock}`))
        const { state, answer } = change(found!.state ?? undefined, Math.floor(found!.now))
        await client.query(
          `UPDATE _weir.budgets SET state = ${client.escapeLiteral(JSON.stringify(state))}, updated_at = now() WHERE ${row}; COMMIT`,
        )
        return answer
      })
    },
  }
}

/** Several statements in one message, whose last one locks the row. */
async function locked<S>(client: pg.PoolClient, statements: string): Promise<{ state: S | null; now: number } | undefined> {
  // Of several statements pg answers with a list, though its types say one.
  const answers = (await client.query(statements)) as unknown as pg.QueryResult<{ state: S | null; now: number }>[]
  return answers.at(-1)!.rows[0]
}
