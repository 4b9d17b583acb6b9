import type pg from 'pg'
import type { BudgetKey, BudgetStore } from '../../core/ports.js'
import { transaction } from './pool.js'

/**
 * Budgets in `_weir.budgets`, a row each, locked while its state moves on: two round trips, and no other service. The clock is the
 * database's, so workers whose clocks differ count alike.
 */
export function createBudgetStore(pool: pg.Pool): BudgetStore {
  return {
    async update<S, T>({ vendor, account, budget }: BudgetKey, change: (state: S | undefined, nowMs: number) => { state: S; answer: T }) {
      const key = [vendor, account, budget]
      return transaction(pool, `Taking permits of ${vendor}`, async (client) => {
        const locked = () =>
          client.query<{ state: S | null; now: number }>(
            `SELECT state, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now FROM _weir.budgets
             WHERE vendor = $1 AND account = $2 AND budget = $3 FOR UPDATE`,
            key,
          )
        let { rows } = await locked()
        if (rows.length === 0) {
          await client.query('INSERT INTO _weir.budgets (vendor, account, budget) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', key)
          rows = (await locked()).rows
        }
        const { state, answer } = change(rows[0]!.state ?? undefined, Math.floor(rows[0]!.now))
        await client.query('UPDATE _weir.budgets SET state = $4, updated_at = now() WHERE vendor = $1 AND account = $2 AND budget = $3', [
          ...key,
          JSON.stringify(state),
        ])
        return answer
      })
    },
  }
}
