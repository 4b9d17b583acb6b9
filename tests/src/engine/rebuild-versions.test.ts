import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { governed } from '../../../src/columns/governed.js'
import { createHasher } from '../../../src/columns/hash.js'
import type { StreamSettings } from '../../../src/core/definition.js'
import { Failure } from '../../../src/core/failure.js'
import type { RebuildReceipt } from '../../../src/core/rebuild.js'
import type { Fields, Rec } from '../../../src/core/types.js'
import { finishRebuild, rebuildRows, startRebuild } from '../../../src/engine/rebuild-table.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream, fixedClock } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const hasher = createHasher('k'.repeat(44))
const fields: Fields = { id: { type: 'text' }, updated: { type: 'timestamp' } }
const day = (of: number) => `2026-01-0${of}T00:00:00Z`
/** A version of record `id`: what it says, and what a policy may take from it. */
const version = (id: string, of: number, name: string, secret = `secret ${of}`): Rec => ({ id, updated: day(of), name, secret })

/** What four readings gave: changes with and without their cursor, one back to what it was, one in what a policy takes alone. */
const readings = [
  [version('1', 1, 'a'), version('2', 1, 'x'), version('4', 1, 'p', 'one')],
  [version('1', 2, 'a'), version('2', 1, 'y'), version('4', 1, 'p', 'other')],
  [version('1', 3, 'b'), version('2', 1, 'x')],
  [version('1', 4, 'a'), version('3', 1, 'z')],
]

interface Change {
  columns?: StreamSettings['columns']
  fields?: Fields
  isDryRun?: boolean
  by?: Warehouse
}

describe.each(servers())('rebuilding a table that keeps versions, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let target: string
  let made = 0
  const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await db.query(sql)).rows

  beforeAll(async () => {
    ;({ url: target, warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  /** A table that has read these records, one run each, and ways to read and to rebuild it. */
  async function loaded(mode: 'append' | 'history', read: readonly (readonly Rec[])[] = readings, columns: StreamSettings['columns'] = {}) {
    const name = `w${++made}`
    let runs = 0
    let records: readonly Rec[] = []
    const of = (policy: StreamSettings['columns'], more: Fields = {}) => {
      const settings: StreamSettings = { raw: 'keep', mode, ...(policy ? { columns: policy } : {}) }
      const plain = fakeStream({ name, mode, pages: () => [records], fields: { ...fields, ...more } })
      return { stream: governed(plain, settings, hasher), definition: fakeDefinition({ streams: { [name]: settings } }) }
    }
    const sync = (given: readonly Rec[], policy: StreamSettings['columns'] = columns) => {
      records = given
      return syncOnce({ warehouse, run: `sync-${name}-${++runs}`, full: true, ...of(policy) })
    }
    for (const reading of read) await sync(reading)
    const start = async (change: Change = {}) => {
      const run = `rebuild-${name}-${++runs}`
      const input = {
        warehouse: change.by ?? warehouse,
        run,
        isDryRun: change.isDryRun ?? false,
        ...of(change.columns ?? columns, change.fields),
      }
      await startRebuild({ ...input, hash: 'none' })
      return { run, go: () => rebuildRows({ ...input, clock: fixedClock(), signal: new AbortController().signal, onProgress: () => {} }) }
    }
    const rebuild = async (change: Change = {}): Promise<RebuildReceipt> => {
      const { run, go } = await start(change)
      await go()
      return finishRebuild({ warehouse, run }, {})
    }
    const own = mode === 'append' ? '' : ', _weir_valid_from, _weir_valid_to, _weir_is_current'
    const order = mode === 'append' ? 'updated, name, secret' : '_weir_valid_from'
    /** All that a row is but who wrote it last, and when. That versions of `append` have the right names shows when they are read again. */
    const stands = () =>
      rows(`SELECT id, name, secret, updated, _weir_deleted_at, _weir_seen_at, _weir_raw${own} FROM fake.${name} ORDER BY id, ${order}`)
    return { name, sync, start, rebuild, stands }
  }

  describe.each(['append', 'history'] as const)('in mode %s', (mode) => {
    it('types every version anew in its place, and what is read again afterwards is no new version', async () => {
      const { name, sync, rebuild, stands } = await loaded(mode)
      const before = await stands()
      await db.query(`ALTER TABLE fake.${name} DROP COLUMN name`)
      expect(await rebuild()).toMatchObject({ status: 'completed', examined: before.length, rewritten: before.length, deadLetters: 0 })
      expect(await stands()).toEqual(before)
      expect(await rebuild()).toMatchObject({ examined: before.length, rewritten: 0 })
      for (const reading of mode === 'append' ? readings : readings.slice(-1)) expect(await sync(reading)).toMatchObject({ loaded: 0 })
      expect(await stands()).toEqual(before)
    })

    it('takes a type that is declared now, for all versions', async () => {
      const { name, sync, rebuild } = await loaded(mode, [
        [{ ...version('1', 1, '7') }, { ...version('2', 1, '8') }],
        [{ ...version('1', 2, '07') }, { ...version('2', 2, 'none') }],
      ])
      await db.query(`ALTER TABLE fake.${name} DROP COLUMN name`)
      expect(await rebuild({ fields: { name: { type: 'bigint' } } })).toMatchObject({ status: 'completed', examined: 4, deadLetters: 0 })
      expect(await rows(`SELECT id, name::text, updated::date::text AS day FROM fake.${name} ORDER BY id, updated`)).toMatchObject([
        { id: '1', name: '7', day: '2026-01-01' },
        { id: '1', day: '2026-01-02' },
        { id: '2', name: '8' },
        { id: '2', name: null },
      ])
      expect(await sync([version('1', 2, '07'), version('2', 2, 'none')])).toMatchObject({ loaded: 0, unchanged: 2 })
    })

    it('mends versions whose cells had come to say what others say', async () => {
      const { name, sync, rebuild, stands } = await loaded(mode)
      const before = await stands()
      // Each says what the next one says.
      await db.query(`UPDATE fake.${name} t SET secret = n.secret, name = n.name FROM (
        SELECT ctid AS at, lead(secret) OVER o AS secret, lead(name) OVER o AS name FROM fake.${name} WINDOW o AS (ORDER BY id, updated, name)) n
        WHERE n.at = t.ctid AND n.name IS NOT NULL`)
      await rebuild()
      expect(await stands()).toEqual(before)
      expect(await sync(readings.at(-1)!)).toMatchObject({ loaded: 0 })
    })

    it('keeps every version where a policy leaves out what told two apart, and neither comes again', async () => {
      const columns = { secret: 'drop' } as const
      const { name, sync, rebuild, stands } = await loaded(mode)
      const before = await stands()
      expect(await rebuild({ columns })).toMatchObject({ rewritten: before.length, deadLetters: 0 })
      const after = await stands()
      expect(after).toMatchObject(
        before.map(({ id, name: said, updated, _weir_seen_at, _weir_valid_from }) => ({
          id,
          name: said,
          updated,
          _weir_seen_at,
          ...(mode === 'history' ? { _weir_valid_from } : {}),
        })),
      )
      expect(await rows(`SELECT count(secret)::int AS n, count(_weir_raw -> 'secret')::int AS raw FROM fake.${name}`)).toEqual([
        { n: 0, raw: 0 },
      ])
      for (const reading of mode === 'append' ? readings : readings.slice(-1))
        expect(await sync(reading, columns)).toMatchObject({ loaded: 0 })
      expect(await rebuild({ columns })).toMatchObject({ rewritten: 0 })
      expect(await stands()).toEqual(after)
    })

    it('leaves a version as it was where it is refused, with a letter, and mends the others', async () => {
      const { name, rebuild, stands } = await loaded(mode)
      const before = await stands()
      await db.query(`UPDATE fake.${name} SET name = 'wrong'`)
      await db.query(`ALTER TABLE fake.${name} ADD CONSTRAINT no_b CHECK (name <> 'b')`)
      expect(await rebuild()).toMatchObject({ status: 'completed_with_dead_letters', rewritten: before.length - 1, deadLetters: 1 })
      expect((await stands()).map(({ name: said }) => said).toSorted()).toEqual(
        before.map(({ name: said }) => (said === 'b' ? 'wrong' : said)).toSorted(),
      )
      await db.query(`ALTER TABLE fake.${name} DROP CONSTRAINT no_b`)
      expect(await rebuild()).toMatchObject({ status: 'completed', rewritten: 1, deadLetters: 0 })
      expect(await stands()).toEqual(before)
    })

    it('goes on behind the last page after a kill', async () => {
      const many = Array.from({ length: 2_500 }, (_, at) => version(String(at).padStart(5, '0'), 1, `name ${at}`))
      const { name, start, stands } = await loaded(mode, [many])
      const before = await stands()
      await db.query(`ALTER TABLE fake.${name} DROP COLUMN name`)
      let commits = 0
      const dying: Warehouse = {
        ...warehouse,
        rebuilds: {
          ...warehouse.rebuilds,
          async commit(...args) {
            const done = await warehouse.rebuilds.commit(...args)
            if (++commits === 2) throw new Failure('transient', 'killed')
            return done
          },
        },
      }
      const { run, go } = await start({ by: dying })
      await expect(go()).rejects.toThrow('killed')
      const half = (await warehouse.rebuilds.open(run)).counts
      expect(half.examined).toBeLessThan(2_500)
      await go()
      expect(await finishRebuild({ warehouse, run }, {})).toMatchObject({ examined: 2_500, rewritten: 2_500 })
      expect(await stands()).toEqual(before)
    })

    it('counts in a dry run what it would change, and changes nothing', async () => {
      const { rebuild, stands } = await loaded(mode)
      const before = await stands()
      expect(await rebuild({ columns: { secret: 'drop' }, isDryRun: true })).toMatchObject({ rewritten: before.length })
      expect(await stands()).toEqual(before)
    })
  })

  it('never parts the versions of a key in append', async () => {
    const many = (id: string) => Array.from({ length: 700 }, (_, at) => version(id, 1, `${id} ${at}`))
    const { name, rebuild } = await loaded('append', [[...many('1'), ...many('2'), ...many('3')]])
    const spec = { schema: 'fake', table: name, key: ['id'], mode: 'append', fields } as const
    const page = await warehouse.rebuilds.rows(spec, undefined)
    expect(page.map(({ place }) => place[0])).toEqual([...Array(700).fill('1'), ...Array(700).fill('2')])
    const rest = await warehouse.rebuilds.rows(spec, page.at(-1)!.place)
    expect(rest.map(({ place }) => place[0])).toEqual(Array(700).fill('3'))
    await db.query(`UPDATE fake.${name} SET name = 'wrong' WHERE name LIKE '% 1%'`)
    expect(await rebuild()).toMatchObject({ examined: 2_100 })
    expect(await rows(`SELECT count(*)::int AS n, count(DISTINCT name)::int AS names FROM fake.${name}`)).toEqual([
      { n: 2_100, names: 2_100 },
    ])
  })

  it('waits for what is being added to append, which may say what a version comes to say', async () => {
    const columns = { secret: 'drop' } as const
    const early = await loaded('append', [[version('4', 1, 'p')]], columns)
    const { name, sync, rebuild } = await loaded('append', [[version('4', 1, 'p')]])
    const other = new pg.Client({ connectionString: target })
    await other.connect()
    try {
      await other.query('BEGIN')
      await other.query(`INSERT INTO fake.${name} (id, name, updated, _weir_run_id, _weir_loaded_at, _weir_version)
        SELECT id, name, updated, 'hand', now(), _weir_version FROM fake.${early.name}`)
      const rebuilding = rebuild({ columns })
      const waiting = `SELECT 1 FROM pg_locks WHERE relation = 'fake.${name}'::regclass AND NOT granted`
      await vi.waitFor(async () => expect(await rows(waiting)).toHaveLength(1), { timeout: 20_000 })
      await other.query('COMMIT')
      expect(await rebuilding).toMatchObject({ status: 'completed', rewritten: 1, deadLetters: 0 })
    } finally {
      await other.end()
    }
    expect(await rows(`SELECT name FROM fake.${name}`)).toEqual([{ name: 'p' }, { name: 'p' }])
    expect(await sync([version('4', 1, 'p')], columns)).toMatchObject({ loaded: 0 })
  })

  it('gives a version the name of its twin once that one says something else', async () => {
    const columns = { secret: 'drop' } as const
    const { name, sync, rebuild } = await loaded('append', [[version('4', 1, 'p', 'one')], [version('4', 1, 'p', 'other')]])
    await rebuild({ columns })
    const [first, second] = await rows(`SELECT _weir_version AS version FROM fake.${name} ORDER BY _weir_seen_at`)
    expect(String(second!.version)).toMatch(new RegExp(`^${first!.version}/.`))
    // As if its raw record had been mended.
    await db.query(`UPDATE fake.${name} SET _weir_raw = jsonb_set(_weir_raw, '{name}', '"q"') WHERE _weir_version = '${first!.version}'`)
    expect(await rebuild({ columns })).toMatchObject({ rewritten: 1 })
    expect(await rows(`SELECT name FROM fake.${name} WHERE _weir_version = '${first!.version}'`)).toEqual([{ name: 'p' }])
    expect(await sync([version('4', 1, 'p'), version('4', 1, 'q')], columns)).toMatchObject({ loaded: 0, unchanged: 2 })
  })
})
