/** Rows that most likely stand nowhere yet are copied straight into their table; what that cannot take goes the way of all others. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Rec, SyncMode } from '../../../src/core/types.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { type Opened, openedDatabase, servers } from '../../support/postgres.js'

const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`
const person = (id: string, more: Rec = {}): Rec => ({ id, name: `name ${id}`, updated: day(1), ...more })

describe.each(servers())('rows of a new table on PostgreSQL $name', ({ url }) => {
  let base: Opened
  let count = 0
  beforeAll(async () => {
    base = await openedDatabase(url)
  })
  afterAll(() => base.close())

  const rows = async (sql: string) => (await base.db.query(sql)).rows as Record<string, unknown>[]

  /** A table, and a run of its stream: each page is a batch. */
  function table(mode: SyncMode = 'merge') {
    const name = `s${++count}`
    let pages: Rec[][] = []
    const fields = { id: { type: 'text' }, name: { type: 'text' }, updated: { type: 'timestamp' }, gone: { type: 'timestamp' } } as const
    const stream = fakeStream({ name, mode, fields, deletedAt: 'gone', slicing: { by: 'all' }, pages: () => pages })
    const drive = (...given: Rec[][]) => {
      pages = given
      return { warehouse: base.warehouse, stream, run: `run-${++count}`, full: true, limits: { batchBytes: 1 } }
    }
    const read = (...given: Rec[][]) => syncOnce(drive(...given))
    /** Ids in the order in which they were written: merging sorts a batch by its key, copying does not. */
    const written = async (of = `fake.${name}`) => (await rows(`SELECT id FROM ${of} ORDER BY ctid`)).map(({ id }) => id)
    return { name, drive, read, written }
  }

  it('stand as they came, with all that Weir says of a row', async () => {
    const { name, read, written } = table()
    const run = await read([person('3'), person('1')], [person('2')])
    expect(run).toMatchObject({ read: 3, loaded: 3, unchanged: 0, deadLetters: 0 })
    expect(await written()).toEqual(['3', '1', '2'])
    const own =
      '_weir_run_id, _weir_loaded_at <= now() AS is_loaded, _weir_seen_at <= _weir_loaded_at AS is_seen, _weir_deleted_at, _weir_extra'
    const said = { _weir_run_id: `run-${count}`, is_loaded: true, is_seen: true, _weir_deleted_at: null, _weir_extra: null }
    expect(await rows(`SELECT DISTINCT ${own} FROM fake.${name}`)).toEqual([said])
  })

  it('are merged in every later run', async () => {
    const { read, written } = table()
    await read([person('9')])
    const run = await read([person('7'), person('5')], [person('9', { name: 'changed', updated: day(2) })], [person('7')])
    expect(run).toMatchObject({ read: 4, loaded: 3, unchanged: 1 })
    expect(await written()).toEqual(['5', '7', '9'])
  })

  it('whose key comes twice stand once, in their newest version, in one batch and over two', async () => {
    const { name, read } = table()
    const run = await read(
      [person('1'), person('2', { updated: day(3) })],
      [person('3', { updated: day(2), name: 'new' }), person('3', { name: 'old' })],
      [person('2', { name: 'older' }), person('4')],
    )
    expect(run).toMatchObject({ read: 6, loaded: 4, unchanged: 2 })
    expect(await rows(`SELECT id, name FROM fake.${name} ORDER BY id`)).toEqual([
      { id: '1', name: 'name 1' },
      { id: '2', name: 'name 2' },
      { id: '3', name: 'new' },
      { id: '4', name: 'name 4' },
    ])
  })

  it('are no longer tried so once three batches of a slice were refused', async () => {
    const { read, written } = table()
    const double = (id: string) => [person(id), person(id)]
    await read([person('b'), person('a')], double('c'), double('d'), [person('f'), person('e')], double('g'), [person('i'), person('h')])
    expect(await written()).toEqual(['b', 'a', 'c', 'd', 'f', 'e', 'g', 'h', 'i'])
  })

  it('that the database refuses become dead letters, alone', async () => {
    const { name, read, written } = table()
    // Longer than what an index of PostgreSQL takes.
    const run = await read([person('2'), person(randomBytes(9_000).toString('base64')), person('1')])
    expect(run).toMatchObject({ read: 3, loaded: 2, deadLetters: 1 })
    expect((await written()).toSorted()).toEqual(['1', '2'])
    const [letter] = await rows(`SELECT message, first_seen_at <= now() AS is_dated FROM _weir.dead_letters WHERE stream = '${name}'`)
    expect(letter).toEqual({ message: expect.stringContaining('54000'), is_dated: true })
  })

  it('that the vendor deleted say so', async () => {
    const { name, read } = table()
    const run = await read([person('2', { gone: day(4) }), person('1')], [person('3')])
    expect(run).toMatchObject({ read: 3, loaded: 3 })
    expect(await rows(`SELECT id FROM fake.${name} WHERE _weir_deleted_at = '${day(4)}'`)).toEqual([{ id: '2' }])
  })

  it('find it made by whichever of many streams is first', async () => {
    for (let round = 0; round < 3; round++) {
      const definition = fakeDefinition({ schema: `made ${round}` })
      const reads = Array.from({ length: 8 }, () => ({ ...table().drive([person('1')]), definition }))
      const runs = await Promise.all(reads.map((read) => syncOnce(read)))
      expect(runs.map(({ loaded }) => loaded)).toEqual(Array(8).fill(1))
    }
  })

  it('gather so in every run of a snapshot, also beside a table of an earlier time', async () => {
    const { name, drive, read, written } = table('replace')
    await read([person('1')])
    await base.db.query(`ALTER TABLE fake.${name} ALTER COLUMN _weir_loaded_at DROP DEFAULT`)
    const second = drive([person('3'), person('2')], [person('3', { name: 'read last' })])
    const { slices } = await plan(second)
    await readSlice(second, slices[0]!.key)
    const [stage] = await rows(
      `SELECT c.oid::regclass::text AS of FROM pg_class c WHERE c.relnamespace = '_weir_stage'::regnamespace AND relkind = 'r'`,
    )
    expect((await written(String(stage!.of))).toSorted()).toEqual(['2', '3'])
    expect(await rows(`SELECT id FROM ${stage!.of} WHERE name = 'name 2'`)).toEqual([{ id: '2' }])
    await syncOnce(second)
    expect(await rows(`SELECT id, name FROM fake.${name} ORDER BY id`)).toEqual([
      { id: '2', name: 'name 2' },
      { id: '3', name: 'read last' },
    ])
  })
})
