import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunKind } from '../../../src/core/activities.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { fakeDefinition } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

describe.each(servers())('how streams stand, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: () => Promise<void>
  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
    await warehouse.definitions.put('one', fakeDefinition({ streams: { people: {} } }))
    await warehouse.definitions.put('two', fakeDefinition({ streams: { people: {}, orders: {} } }))
  })
  afterAll(() => close())

  let made = 0
  /** A run that has completed one stream, so many hours ago; it took a minute. */
  const ran = async (sync: string, kind: RunKind, hoursAgo: number, { definition = 'one', requests = 1 } = {}) => {
    const run = `run-${++made}`
    await warehouse.runs.start({ run, sync, definition, kind })
    const times = `started_at = now() - make_interval(hours => $2), finished_at = now() - make_interval(hours => $2) + interval '1 minute'`
    await db.query(`UPDATE _weir.runs SET status = 'completed', ${times} WHERE run_id = $1`, [run, hoursAgo])
    await db.query(`INSERT INTO _weir.stream_runs (run_id, sync, stream, status, requests) VALUES ($1, $2, 'people', 'completed', $3)`, [
      run,
      sync,
      requests,
    ])
    await db.query(`UPDATE _weir.stream_runs SET ${times} WHERE run_id = $1`, [run, hoursAgo])
  }

  test('streams are those of the newest run of each sync; without a run that completed none is fresh', async () => {
    await ran('crm', 'scheduled', 5)
    await ran('crm', 'manual', 3, { definition: 'two' })
    await ran('ads', 'scheduled', 2)
    expect(await warehouse.standing()).toMatchObject([
      { sync: 'ads', stream: 'people', vendor: 'fake', openSlices: 0, openLetters: 0, freshSeconds: expect.closeTo(2 * 3600, -3) },
      { sync: 'crm', stream: 'orders' },
      { sync: 'crm', stream: 'people', freshSeconds: expect.closeTo(3 * 3600, -3) },
    ])
    expect((await warehouse.standing())[1]).not.toHaveProperty('freshSeconds')
  })

  test('a backfill of old days makes no table fresh', async () => {
    await ran('shop', 'scheduled', 9)
    await ran('shop', 'backfill', 1)
    await ran('old', 'backfill', 1)
    const fresh = Object.fromEntries((await warehouse.standing()).map(({ sync, freshSeconds }) => [sync, freshSeconds]))
    expect(fresh.shop).toBeCloseTo(9 * 3600, -3)
    expect(fresh.old).toBeUndefined()
  })

  test('a backfill says nothing of what runs of the sync need', async () => {
    await ran('needy', 'scheduled', 9, { requests: 7 })
    await ran('needy', 'backfill', 1, { requests: 9_000 })
    expect(await warehouse.deployments.needs('needy')).toEqual([
      { stream: 'people', last: { requests: 7, ms: 60_000 }, most: { requests: 7, ms: 60_000 }, ranges: { days: 0, requests: 0, runs: 0 } },
    ])
  })
})
