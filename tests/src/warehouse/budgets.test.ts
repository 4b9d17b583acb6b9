import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createAccounts } from '../../../src/http/budget.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { createWarehouse } from '../../../src/warehouse/postgres/warehouse.js'
import { systemClock as clock } from '../../../worker/deps.js'
import { type Opened, openedDatabase, servers } from '../../support/postgres.js'

const noted = { priority: 'live' as const, waited: () => undefined }

describe.each(servers())('budgets in PostgreSQL $name', ({ url }) => {
  let opened: Opened
  let others: Warehouse[]
  beforeAll(async () => {
    opened = await openedDatabase(url)
    // Pools of their own, as processes have.
    others = Array.from({ length: 4 }, () => createWarehouse(opened.url, { connections: 2 }))
  })
  afterAll(async () => {
    await Promise.all(others.map((one) => one.close()))
    await opened.close()
  })

  it('are one for all workers, by the clock of the database', async () => {
    const budget = { windows: [{ count: 8, perMs: 1_000 }], concurrency: 8 }
    const spenders = others.map(({ budgets }) => createAccounts(clock, budgets)('vendor', 'account').spender('calls', budget))
    const counted: number[] = []
    const send = async () => {
      counted.push(performance.now())
    }
    await Promise.all(spenders.flatMap((spender) => Array.from({ length: 7 }, () => spender.spend(send, noted))))
    expect(counted).toHaveLength(28)
    for (const from of counted) expect(counted.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(8)
    const { rows } = await opened.db.query<{ vendor: string; budget: string; account: string; state: { holders: object } }>(
      'SELECT * FROM _weir.budgets',
    )
    expect(rows).toMatchObject([{ vendor: 'vendor', budget: 'calls' }])
    expect(rows[0]!.account).toMatch(/^[0-9a-f]{64}$/)
  })

  it('survive their processes: what was spent counts for the next one', async () => {
    const day = { windows: [{ count: 3, perMs: 86_400_000 }], concurrency: 3 }
    const spend = async ({ budgets }: Warehouse) => {
      const spender = createAccounts(clock, budgets)('vendor', 'other').spender('day', day)
      await spender.spend(async () => undefined, noted)
    }
    for (const warehouse of others.slice(0, 3)) await spend(warehouse)
    await expect(spend(others[3]!)).rejects.toMatchObject({ reason: 'throttled', where: { waitUntil: expect.any(String) } })
  })

  it('and the breaker of an account are one for two processes: both rest, and one tries for both', async () => {
    const [one, other] = others.slice(0, 2).map(({ budgets }) => createAccounts(clock, budgets)('vendor', 'down').breaker)
    for (let i = 0; i < 4; i++) await Promise.all([one!.bad(), other!.bad()])
    const closed = { reason: 'throttled', where: { waitsFor: 'vendor', waitUntil: expect.any(String) } }
    await expect(one!.check()).rejects.toMatchObject(closed)
    await expect(other!.check()).rejects.toMatchObject(closed)
    // A process that has just begun hears of it before its first call.
    await expect(createAccounts(clock, others[2]!.budgets)('vendor', 'down').breaker.check()).rejects.toMatchObject(closed)
    await opened.db.query(`UPDATE _weir.budgets SET state = state || '{"restUntilMs": 0}' WHERE budget = 'breaker'`)
    const tries = await Promise.allSettled([one!.check(), other!.check()])
    expect(tries.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await one!.good()
    await other!.check()
  })

  it('outlive a connection that is cut in the middle of a turn: nothing is changed, and the next turn is taken', async () => {
    const key = { vendor: 'vendor', account: 'cut', budget: 'x' }
    const { budgets } = others[0]!
    const turn = () => budgets.update<number, number>(key, (state = 0) => ({ state: state + 1, answer: state + 1 }))
    expect(await turn()).toBe(1)
    // The row is held, so the turn waits with a statement under way when its session is ended.
    await opened.db.query('BEGIN')
    await opened.db.query("SELECT 1 FROM _weir.budgets WHERE account = 'cut' FOR UPDATE")
    const cut = turn()
    cut.catch(() => undefined)
    const ended = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'weir' AND wait_event_type = 'Lock'`
    await vi.waitFor(async () => expect((await opened.db.query(ended)).rowCount).toBe(1), { timeout: 20_000 })
    await opened.db.query('COMMIT')
    await expect(cut).rejects.toMatchObject({ reason: 'transient' })
    expect(await turn()).toBe(2)
  })

  it('take turns: of many at once none is lost', async () => {
    const key = { vendor: 'vendor', account: 'turns', budget: 'x' }
    const turn = ({ budgets }: Warehouse) => budgets.update<number, number>(key, (state = 0) => ({ state: state + 1, answer: state + 1 }))
    const answers = await Promise.all(others.flatMap((one) => Array.from({ length: 10 }, () => turn(one))))
    expect(answers.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
  })
})
