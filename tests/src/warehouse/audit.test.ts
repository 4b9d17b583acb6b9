import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { preparePush } from '../../../src/engine/audience/prepare-push.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { createWarehouse } from '../../../src/warehouse/postgres/warehouse.js'
import { audienceKey, fakeAudience, fakeDestination, mark, send } from '../../support/audience.js'
import { noHttp } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

describe.each(servers())('the audit log, on PostgreSQL $name', ({ url: server }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let url: string
  let close: () => Promise<void>
  let runs = 0

  beforeAll(async () => {
    ;({ warehouse, db, url, close } = await openedDatabase(server, { key: audienceKey }))
    await db.query('CREATE TABLE people (id text, email text)')
    await warehouse.definitions.put('hash', fakeAudience())
  })
  afterAll(() => close())
  beforeEach(async () => {
    await db.query('TRUNCATE _weir.audit_log, _weir.audience_members')
    await db.query("UPDATE _weir.audit_head SET seq = 0, hash = '', key_name = NULL, seal = ''")
  })

  const begin = async (by = 'ana', at = warehouse) => {
    const run = `run-${++runs}`
    await at.audiences.begin({ run, audience: 'vip', definition: 'hash', kind: 'manual', requestedBy: by })
    return run
  }

  test('has a push from who asked to how it ended: model, change set, counts, gates, decision; and never a member', async () => {
    await db.query("INSERT INTO people VALUES ('ana-key', 'ana@example.test'), ('ben-key', 'ben@example.test')")
    const fake = fakeDestination()
    const run = `run-${++runs}`
    const prepared = await preparePush({
      warehouse,
      definition: fakeAudience({ approval: { when: ['first_run'], by: [], expiresMs: 1 } }),
      step: { run, audience: 'vip', definition: 'hash', kind: 'manual', requestedBy: 'ana' },
      reach: async () => ({ destination: fake.destination, http: noHttp() }),
      mark,
      now: new Date(),
      onProgress: () => {},
    })
    expect(await warehouse.audiences.decide(run, prepared.changeSet, { by: 'ben', isApproved: true })).toBe(true)
    await send({ warehouse, run, fake })
    await warehouse.audiences.finish(run, 'completed')
    await warehouse.audiences.finish(run, 'failed')
    const rows = (await warehouse.audit.list({ audience: 'vip', limit: 10 })).reverse()
    expect(rows.map(({ event, by }) => [event, by])).toEqual([
      ['push_asked', 'ana'],
      ['push_judged', undefined],
      ['push_approved', 'ben'],
      ['push_ended', 'ana'],
    ])
    expect(rows[1]!.detail).toMatchObject({
      changeSet: prepared.changeSet,
      model: expect.stringMatching(/^[0-9a-f]{64}$/),
      people: 2,
      gates: { minSize: 1 },
      reasons: ['it is the first push'],
      destinations: { there: { add: 2, causes: { new: 2 } } },
      to: { there: { connection: 'fake', kind: 'list', target: 'vip' } },
    })
    expect(rows[3]!.detail).toMatchObject({
      outcome: 'completed',
      decision: 'approved',
      decidedBy: 'ben',
      destinations: { there: { target: { id: '1', name: 'vip' }, sent: 2, confirmed: 2 } },
    })
    const { rows: named } = await db.query("SELECT 1 FROM _weir.audit_log AS l WHERE l::text ~ '@|ana-key|ben-key'")
    expect(named).toEqual([])
    expect(await warehouse.audit.verify()).toMatchObject({ rows: 4, withoutKey: 0 })
  })

  test('says so when nobody decided in time', async () => {
    const run = await begin()
    await warehouse.audiences.setStatus(run, 'waiting', { expiresAt: '2026-01-01T00:00:00Z' })
    await warehouse.audiences.finish(run, 'cancelled')
    const [row] = await warehouse.audit.list({ event: 'push_ended', limit: 1 })
    expect(row!.detail).toMatchObject({ outcome: 'cancelled', decision: 'expired' })
  })

  test('is one chain, however many write at once', async () => {
    const others = Array.from({ length: 4 }, () => createWarehouse(url, { key: audienceKey }))
    await Promise.all(others.flatMap((one) => Array.from({ length: 10 }, () => begin('ana', one))))
    await Promise.all(others.map((one) => one.close()))
    const verdict = await warehouse.audit.verify()
    expect(verdict).toMatchObject({ rows: 40, head: { seq: 40 } })
    expect(verdict.broken).toBeUndefined()
  })

  describe.each([
    ['another name', "UPDATE _weir.audit_log SET actor = 'eve' WHERE seq = 2", 2, /altered/],
    ['another count', `UPDATE _weir.audit_log SET detail = detail || '{"people": 5}' WHERE seq = 2`, 2, /altered/],
    ['a later time', "UPDATE _weir.audit_log SET at = at + interval '1 ms' WHERE seq = 2", 2, /altered/],
    ['a row that is gone', 'DELETE FROM _weir.audit_log WHERE seq = 2', 2, /gone/],
    ['a first row that is gone', 'DELETE FROM _weir.audit_log WHERE seq = 1', 1, /gone/],
    ['an end that was cut off', 'DELETE FROM _weir.audit_log WHERE seq > 2', 3, /cut off: its head says that it ends with row 4/],
    ['a log that was emptied', 'DELETE FROM _weir.audit_log', 1, /cut off/],
    ['a head that is gone', 'DELETE FROM _weir.audit_head', 5, /head of the log is gone/],
    [
      'two rows in another order',
      'UPDATE _weir.audit_log SET seq = -2 WHERE seq = 2; UPDATE _weir.audit_log SET seq = 2 WHERE seq = 3; UPDATE _weir.audit_log SET seq = 3 WHERE seq = -2',
      2,
      /does not follow/,
    ],
    [
      'an end that was cut off with its head',
      'DELETE FROM _weir.audit_log WHERE seq > 2; UPDATE _weir.audit_head SET seq = 2, hash = (SELECT hash FROM _weir.audit_log WHERE seq = 2)',
      2,
      /head of the log was altered/,
    ],
    [
      'a row that was added without the key',
      "INSERT INTO _weir.audit_log SELECT 5, now(), 'push_approved', 'eve', 'vip', NULL, '{}', key_name, hash, repeat('0', 64) FROM _weir.audit_log WHERE seq = 4",
      5,
      /altered/,
    ],
  ])('finds %s', (_, sql, seq, problem) => {
    test(`at row ${seq}`, async () => {
      for (let n = 0; n < 4; n++) await begin()
      await db.query(sql)
      const { broken } = await warehouse.audit.verify()
      expect(broken).toEqual({ seq, problem: expect.stringMatching(problem) })
      if (sql.includes('DELETE FROM _weir.audit_head')) await db.query("INSERT INTO _weir.audit_head (seq, hash, seal) VALUES (0, '', '')")
    })
  })

  test('that was put back to an earlier end, head and all, is found by a head that was noted', async () => {
    await begin()
    const { rows: heads } = await db.query('SELECT * FROM _weir.audit_head')
    await begin()
    const { head } = await warehouse.audit.verify()
    await db.query('DELETE FROM _weir.audit_log WHERE seq = 2')
    await db.query('UPDATE _weir.audit_head SET seq = $1, hash = $2, seal = $3', [heads[0].seq, heads[0].hash, heads[0].seal])
    expect((await warehouse.audit.verify()).broken).toBeUndefined()
    expect((await warehouse.audit.verify(head)).broken).toEqual({ seq: 2, problem: expect.stringMatching(/row 2 was noted elsewhere/) })
    await begin('eve')
    expect((await warehouse.audit.verify(head)).broken).toEqual({ seq: 2, problem: expect.stringMatching(/not the row that was noted/) })
  })

  test('is written without a key too, and counts such rows; a key that is not the one that made it is refused', async () => {
    const keyless = createWarehouse(url)
    const other = createWarehouse(url, { key: 'b'.repeat(44) })
    try {
      await begin('ana', keyless)
      expect(await keyless.audit.verify()).toMatchObject({ rows: 1, withoutKey: 1 })
      await begin()
      expect(await warehouse.audit.verify()).toMatchObject({ rows: 2, withoutKey: 1 })
      await expect(keyless.audit.verify()).rejects.toThrow(/made with WEIR_KEY [0-9a-f]{8}, and none is set/)
      await expect(other.audit.verify()).rejects.toThrow(/Set the key that made it/)
    } finally {
      await keyless.close()
      await other.close()
    }
  })

  test('has who decided a schema change', async () => {
    const { rows } = await db.query<{ id: string }>(
      `INSERT INTO _weir.schema_changes (sync, stream, table_schema, table_name, change, field, type, run_id, status)
       VALUES ('crm', 'people', 'crm', 'people', 'field_new', 'shoe_size', 'bigint', 'run', 'pending') RETURNING id`,
    )
    expect(await warehouse.changes.decide(Number(rows[0]!.id), 'approved', 'ana')).toBe(true)
    expect(await warehouse.changes.decide(Number(rows[0]!.id), 'approved', 'ben')).toBe(false)
    const log = await warehouse.audit.list({ limit: 10 })
    expect(log).toMatchObject([{ event: 'schema_change_approved', by: 'ana', detail: { sync: 'crm', field: 'shoe_size' } }])
  })
})
