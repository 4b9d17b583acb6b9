import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { preparePush } from '../../../../src/engine/audience/prepare-push.js'
import type { Warehouse } from '../../../../src/warehouse/driver.js'
import { audienceKey, fakeAudience, fakeDestination, send } from '../../../support/audience.js'
import { noHttp } from '../../../support/fake-source.js'
import { openedDatabase, servers } from '../../../support/postgres.js'

describe.each(servers())('a model that breaks, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: () => Promise<void>
  let runs = 0

  const definition = fakeAudience({
    consent: { column: 'consent', granted: ['granted'], refused: ['denied'] },
    suppress: [{ model: { name: 'blocked', sql: 'SELECT id FROM blocked', key: 'id' }, by: 'key' }],
    gates: { minSize: 5, maxAdd: { percent: 50 }, maxRemove: { percent: 50 }, otherwise: 'hold' },
  })
  const { audience } = definition
  const fake = fakeDestination()

  const prepared = async () => {
    const run = `run-${++runs}`
    const step = { audience, definition: 'none', kind: 'manual' as const, run }
    const reach = async () => ({ destination: fake.destination, http: noHttp() })
    const mark = (text: string) => text
    const receipt = await preparePush({ warehouse, definition, reach, mark, now: new Date(), onProgress: () => undefined, step })
    return { run, receipt }
  }
  const people = (from: number, to: number) =>
    db.query("INSERT INTO people SELECT n::text, 'p' || n || '@example.test', 'granted' FROM generate_series($1::int, $2) AS n", [from, to])

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url, { key: audienceKey }))
    await db.query('CREATE TABLE people (id text, email text, consent text); CREATE TABLE blocked (id text)')
  })
  afterAll(() => close())
  beforeEach(async () => {
    await db.query('TRUNCATE people, blocked, _weir.audience_members, _weir.audience_changes, _weir.audience_runs CASCADE')
    fake.held.clear()
    await people(1, 20)
    await db.query("INSERT INTO blocked VALUES ('19'), ('20')")
    const { run, receipt } = await prepared()
    expect(receipt.reasons).toEqual([])
    await send({ warehouse, run, definition, fake })
    await warehouse.audiences.finish(run, 'completed')
    expect(fake.held.size).toBe(18)
  })

  test.each([
    [
      'no rows',
      'DELETE FROM people',
      ['there would hold 0 people, at least 5 are wanted (min_size)', 'there would lose 18 of 18 people, 50 % are allowed (max_remove)'],
    ],
    [
      'its consent column gone null',
      'UPDATE people SET consent = NULL',
      ['nobody has consented any more: is consent of model vip still filled?'],
    ],
    ['an empty suppression', 'TRUNCATE blocked', ['suppression blocked is empty, and held 2 people before']],
  ])('%s: the push is held, and says why', async (_, sql, reasons) => {
    await db.query(sql)
    const { receipt } = await prepared()
    expect(receipt.reasons).toEqual(expect.arrayContaining(reasons))
    expect(receipt.otherwise).toBe('hold')
    expect(fake.held.size).toBe(18)
  })

  test('ten times the rows: the push is held, and says why', async () => {
    await people(21, 200)
    const { receipt } = await prepared()
    expect(receipt.reasons).toEqual(['there would gain 180 on 18 people, 50 % are allowed (max_add)'])
    expect(receipt.otherwise).toBe('hold')
  })

  test('a refusal is owed whatever is held', async () => {
    await db.query("DELETE FROM people WHERE id <> '1'; UPDATE people SET consent = 'denied'")
    const { run, receipt } = await prepared()
    expect(receipt.owed).toBe(1)
    await send({ warehouse, run, definition, fake, isOwedOnly: true })
    expect([...fake.held.keys()]).toHaveLength(17)
    expect(fake.held.has('p1@example.test')).toBe(false)
  })
})
