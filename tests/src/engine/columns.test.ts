import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { governed } from '../../../src/columns/governed.js'
import { createHasher } from '../../../src/columns/hash.js'
import type { StreamSettings } from '../../../src/core/definition.js'
import type { Rec } from '../../../src/core/types.js'
import { ask } from '../../../src/engine/ask.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { syncOnce } from '../../support/engine.js'
import { type FakeStream, fakeDefinition, fakeStream, noHttp } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const hasher = createHasher('k'.repeat(44))
const updated = '2026-01-01T00:00:00Z'
const lookback = { by: 'time', lookbackMs: 365 * 86_400_000, lagMs: 0, first: 'whole' } as const

describe.each(servers())('column policies and raw records on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let made = 0
  const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await db.query(sql)).rows

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  /** A stream of its own whose settings may change from run to run. */
  const table = (pages: () => Rec[][], more: Partial<FakeStream> = {}) => {
    const name = `c${++made}`
    const stream = fakeStream({ name, pages, slicing: lookback, ...more })
    let day = 1
    const sync = (settings: StreamSettings, by = hasher) =>
      syncOnce({
        warehouse,
        stream: governed(stream, settings, by),
        run: `run-${name}-${day}`,
        now: `2026-06-${String(day++).padStart(2, '0')}T00:00:00.000Z`,
        definition: fakeDefinition({ streams: { [name]: settings } }),
      })
    const types = async () =>
      Object.fromEntries(
        (
          await rows(
            `SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_schema = 'fake' AND table_name = '${name}'`,
          )
        ).map(({ name: column, type }) => [column, type]),
      )
    return { name, stream, sync, types, all: () => rows(`SELECT * FROM fake.${name} ORDER BY 1`) }
  }

  const canary = (at: number) => ({
    id: String(at),
    updated,
    email: `canary-mail-${at}@example.com`,
    phone: 4917000000000 + at,
    ssn: `canary-ssn-${at}`,
    person: { name: `canary-name-${at}`, age: at },
  })
  const policy: StreamSettings = { raw: 'keep', columns: { email: 'hash', phone: 'mask', ssn: 'drop', 'person.name': 'hash' } }

  it('lets no plain value into the table, the raw records, the dead letters or a preview', async () => {
    const bad = { ...canary(3), note: 'NUL \u0000 here' }
    const { name, stream, sync, types, all } = table(() => [
      [canary(1), canary(2)],
      [bad, { ...canary(4), id: '' }],
    ])
    expect(await sync(policy)).toMatchObject({ read: 4, loaded: 2, deadLetters: 2 })
    const dump = JSON.stringify([await all(), await rows('SELECT * FROM _weir.dead_letters')])
    expect(dump).toContain('NUL')
    expect(dump).not.toMatch(/canary|49170/)
    const [one] = await all()
    expect(one).toMatchObject({
      id: '1',
      email: hasher.hash('canary-mail-1@example.com'),
      phone: '***01',
      person: { age: 1, name: hasher.hash('canary-name-1') },
    })
    expect(one?._weir_raw).toEqual({ id: '1', updated, email: one?.email, phone: '***01', person: one?.person })
    expect(await types()).toMatchObject({ email: 'text', phone: 'text', person: 'jsonb', _weir_raw: 'jsonb' })
    expect(await types()).not.toHaveProperty('ssn')
    const shown = await ask({
      warehouse,
      http: noHttp(),
      source: { type: 'fake', streams: { [name]: governed(stream, { columns: policy.columns! }, hasher) }, check: async function* () {} },
      definition: fakeDefinition(),
      question: { question: 'preview', stream: name },
      redact: (text) => text,
    })
    expect(JSON.stringify(shown)).not.toMatch(/canary|49170/)
  })

  it('makes a declared field text when it is hashed, whatever the vendor’s type', async () => {
    const fields = { id: { type: 'text' }, phone: { type: 'bigint' }, ssn: { type: 'text' }, updated: { type: 'timestamp' } } as const
    const { sync, types, all } = table(() => [[canary(1)]], { fields })
    await sync({ columns: { phone: 'hash', ssn: 'drop', email: 'drop', person: 'drop' } })
    expect(await types()).toMatchObject({ phone: 'text' })
    expect(Object.keys((await all())[0]!)).not.toContain('ssn')
  })

  it('never fills a column again whose field is dropped, and puts what no longer fits into a variant', async () => {
    const { sync, all } = table(() => [[canary(1)]])
    await sync({})
    await sync({ columns: { ssn: 'drop', phone: 'mask', email: 'hash', person: 'drop' } })
    expect((await all())[0]).toMatchObject({
      ssn: null,
      phone: null,
      phone__text: '***01',
      email: hasher.hash('canary-mail-1@example.com'),
      person: null,
    })
  })

  it('keeps rows apart by a hashed key, which joins with the same value elsewhere', async () => {
    const people = table(() => [[canary(1), canary(2)]])
    const orders = table(() => [[{ id: 'o1', updated, person_id: 1 }]])
    await people.sync({ columns: { id: 'hash' } })
    expect(await people.sync({ columns: { id: 'hash' } })).toMatchObject({ read: 2, loaded: 0, unchanged: 2 })
    await orders.sync({ columns: { person_id: 'hash' } })
    expect(await rows(`SELECT p.email FROM fake.${orders.name} o JOIN fake.${people.name} p ON p.id = o.person_id`)).toEqual([
      { email: 'canary-mail-1@example.com' },
    ])
  })

  it('refuses another WEIR_KEY than the one that made a table’s hashes, until the table is gone', async () => {
    const { name, sync, all } = table(() => [[canary(1)]])
    const other = createHasher('o'.repeat(44))
    await sync({ columns: { email: 'hash' } })
    await expect(sync({ columns: { email: 'hash' } }, other)).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining(`another WEIR_KEY (${hasher.fingerprint}; the one that is set is ${other.fingerprint})`),
    })
    await db.query(`DROP TABLE fake.${name}`)
    await sync({ columns: { email: 'hash' } }, other)
    expect((await all())[0]).toMatchObject({ email: other.hash('canary-mail-1@example.com') })
  })

  it('refuses to hash the key of a table that has rows, and to stop hashing it', async () => {
    const plain = table(() => [[canary(1)]])
    await plain.sync({})
    await expect(plain.sync({ columns: { id: 'hash' } })).rejects.toThrow('hashed key fields: none before, id now')
    const hashed = table(() => [[canary(1)]])
    await hashed.sync({ columns: { id: 'hash' } })
    await expect(hashed.sync({})).rejects.toThrow('hashed key fields: id before, none now')
    await db.query(`DROP TABLE fake.${hashed.name}`)
    await hashed.sync({})
    expect(await hashed.sync({})).toMatchObject({ loaded: 0, unchanged: 1 })
  })

  it('reads nothing where a field is to be hashed and there is no WEIR_KEY', async () => {
    let pages = 0
    const { name, stream } = table(() => {
      pages++
      return [[canary(1)]]
    })
    const settings: StreamSettings = { columns: { email: 'hash' } }
    const run = syncOnce({
      warehouse,
      stream: governed(stream, settings, undefined),
      run: `run-${name}`,
      definition: fakeDefinition({ streams: { [name]: settings } }),
    })
    await expect(run).rejects.toMatchObject({ reason: 'config', message: expect.stringContaining('WEIR_KEY is not set') })
    expect(pages).toBe(0)
  })

  it('keeps raw records exactly, to the last digit', async () => {
    const { name, sync } = table(() => [[{ id: '1', updated, big: 12345678901234567890n, odd: { Deep: [1.5, null, 'x'] } }]])
    await sync({ raw: 'keep' })
    const [row] = await rows(`SELECT _weir_raw->>'big' AS big, _weir_raw->'odd' AS odd FROM fake.${name}`)
    expect(row).toEqual({ big: '12345678901234567890', odd: { Deep: [1.5, null, 'x'] } })
  })

  it('fills raw records in when they are kept from now on, and leaves rows alone when they no longer are', async () => {
    const { sync, all } = table(() => [[canary(1)]])
    await sync({})
    expect(await sync({ raw: 'keep' })).toMatchObject({ loaded: 1, unchanged: 0 })
    expect(await sync({ raw: 'keep' })).toMatchObject({ loaded: 0, unchanged: 1 })
    expect((await all())[0]).toMatchObject({ _weir_raw: { id: '1', phone: 4917000000001 } })
    expect(await sync({})).toMatchObject({ loaded: 0, unchanged: 1 })
  })

  it.each(['capture', 'approve', 'freeze'] as const)(
    'asks nobody about the column of raw records, whatever the policy: %s',
    async (onSchemaChange) => {
      const { name, sync, all } = table(() => [[{ id: '1', updated, name: 'a' }]])
      await sync({ onSchemaChange })
      expect(await sync({ onSchemaChange, raw: 'keep' })).toMatchObject({ status: 'completed', loaded: 1 })
      expect(await all()).toMatchObject([{ _weir_raw: { id: '1', name: 'a' }, _weir_extra: null }])
      expect(await warehouse.changes.list({ stream: name, status: ['captured', 'pending'] })).toEqual([])
    },
  )

  it.each([{}, { raw: 'keep' }] as const)(
    'takes a vendor’s field of the raw record’s own name for a field like any other: %j',
    async (settings) => {
      let vendor: Rec[] = []
      const { sync, all, name } = table(() => [vendor])
      vendor = [{ id: '1', _weir_raw: 'vendor’s', _weir_run_id: 7, updated }]
      expect(await sync(settings)).toMatchObject({ loaded: 1 })
      vendor = [{ id: '1', _weir_raw: 'changed', _weir_run_id: 7, updated }]
      expect(await sync(settings)).toMatchObject({ loaded: 1 })
      const [row] = await all()
      expect(Object.entries(row!).filter(([, value]) => value === 'changed')).toHaveLength(1)
      expect(row!._weir_raw).toEqual('raw' in settings ? vendor[0] : undefined)
      vendor = [{ id: '2', _weir_raw: 'kept', bad: '\u0000', updated }]
      await sync(settings)
      const [letter] = await rows(`SELECT payload FROM _weir.dead_letters WHERE stream = '${name}'`)
      expect(letter!.payload).toEqual(vendor[0])
    },
  )

  it.each(['merge', 'replace', 'append'] as const)('counts no row as changed for its raw text alone, in mode %s', async (mode) => {
    let id: unknown = '1'
    const fields = { id: { type: 'text' }, n: { type: 'bigint' }, updated: { type: 'timestamp' } } as const
    const { sync, all } = table(() => [[{ id: '1', n: id, updated }]], { fields, mode })
    expect(await sync({ raw: 'keep', mode })).toMatchObject({ loaded: 1 })
    id = 1
    expect(await sync({ raw: 'keep', mode })).toMatchObject({ loaded: 0, unchanged: 1 })
    expect(await sync({ mode })).toMatchObject({ loaded: 0, unchanged: 1 })
    expect(await all()).toHaveLength(1)
  })

  it('asks a vendor for neither a dropped field nor Weir’s own', async () => {
    const asked: string[][] = []
    const { sync, stream } = table(() => [[canary(1)]], { before: (_, { fields }) => void asked.push(Object.keys(fields)) })
    stream.discover = async () => ({ ssn: { type: 'text' }, email: { type: 'text' } })
    await sync({ raw: 'keep', columns: { ssn: 'drop' } })
    expect(asked).toEqual([expect.arrayContaining(['id', 'email'])])
    expect(asked[0]).not.toContain('ssn')
    expect(asked[0]).not.toContain('_weir_raw')
  })
})
