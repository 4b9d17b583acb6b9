import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Rec } from '../../../src/core/types.js'
import { modeSwitches } from '../../../src/engine/mode-switch.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { type FakeStream, fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const person = (id: number, updated: string, more: Rec = {}): Rec => ({ id: String(id), name: `name ${id}`, updated, ...more })
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00.000Z`

describe.each(servers())('modes on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let count = 0
  const nextName = () => `s${++count}`
  const nextRun = () => `run-${++count}`
  const rows = async (sql: string) => (await db.query(sql)).rows as Record<string, unknown>[]
  const sync = (stream: FakeStream, more: Partial<Parameters<typeof syncOnce>[0]> = {}) =>
    syncOnce({ warehouse, stream: fakeStream(stream), run: nextRun(), ...more })

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  describe('history', () => {
    const versions = (name: string) =>
      rows(
        `SELECT id, name, to_char(_weir_valid_from, 'MM-DD') AS since, to_char(_weir_valid_to, 'MM-DD') AS until, _weir_is_current AS current FROM fake.${name} ORDER BY id, _weir_valid_from`,
      )

    it('keeps every version with the time it held, and reads the same again without a change', async () => {
      const name = nextName()
      let records = [person(1, day(1)), person(2, day(1))]
      const stream: FakeStream = { name, mode: 'history', pages: () => [records] }
      expect(await sync(stream)).toMatchObject({ read: 2, loaded: 2 })
      records = [person(1, day(5), { name: 'new' }), person(2, day(1))]
      expect(await sync(stream, { full: true })).toMatchObject({ read: 2, loaded: 1, unchanged: 1 })
      expect(await sync(stream, { full: true })).toMatchObject({ read: 2, loaded: 0, unchanged: 2 })
      expect(await versions(name)).toEqual([
        { id: '1', name: 'name 1', since: '01-01', until: '01-05', current: false },
        { id: '1', name: 'new', since: '01-05', until: null, current: true },
        { id: '2', name: 'name 2', since: '01-01', until: null, current: true },
      ])
    })

    it('fits a version that comes late in between', async () => {
      const name = nextName()
      let records = [person(1, day(1)), person(1, day(9), { name: 'newest' })]
      const stream: FakeStream = { name, mode: 'history', pages: () => [records] }
      await sync(stream)
      records = [person(1, day(5), { name: 'late' })]
      expect(await sync(stream, { full: true })).toMatchObject({ loaded: 1 })
      expect(await versions(name)).toEqual([
        { id: '1', name: 'name 1', since: '01-01', until: '01-05', current: false },
        { id: '1', name: 'late', since: '01-05', until: '01-09', current: false },
        { id: '1', name: 'newest', since: '01-09', until: null, current: true },
      ])
    })

    it('marks a deletion as a version of its own, which only a newer one ends', async () => {
      const name = nextName()
      const fields = {
        id: { type: 'text' },
        name: { type: 'text' },
        updated: { type: 'timestamp' },
        archivedAt: { type: 'timestamp' },
      } as const
      let records: Rec[] = [person(1, day(1))]
      const stream: FakeStream = { name, mode: 'history', fields, deletedAt: 'archivedAt', pages: () => [records] }
      await sync(stream)
      records = [person(1, day(1), { archivedAt: day(4) })]
      await sync(stream, { full: true })
      records = [person(1, day(2), { name: 'older than the deletion' })]
      await sync(stream, { full: true })
      const marks = () =>
        rows(
          `SELECT to_char(_weir_valid_from, 'DD') AS since, _weir_deleted_at IS NOT NULL AS gone, _weir_is_current AS current FROM fake.${name} ORDER BY 1`,
        )
      expect(await marks()).toEqual([
        { since: '01', gone: false, current: false },
        { since: '02', gone: false, current: false },
        { since: '04', gone: true, current: true },
      ])
      records = [person(1, day(7), { name: 'back' })]
      await sync(stream, { full: true })
      expect((await marks()).at(-1)).toEqual({ since: '07', gone: false, current: true })
    })

    it('makes a version when it sees a change, where the vendor gives no time', async () => {
      const name = nextName()
      let records: Rec[] = [{ id: '1', name: 'a' }]
      const stream: FakeStream = { name, mode: 'history', pages: () => [records] }
      await sync(stream)
      await sync(stream, { full: true })
      records = [{ id: '1', name: 'b' }]
      await sync(stream, { full: true })
      expect(await rows(`SELECT name, _weir_is_current AS current FROM fake.${name} ORDER BY _weir_valid_from`)).toEqual([
        { name: 'a', current: false },
        { name: 'b', current: true },
      ])
    })

    it('links versions right when slices are committed side by side', async () => {
      const name = nextName()
      const records = Array.from({ length: 20 }, (_, i) => person(1, day(i + 1), { name: `v${i + 1}` }))
      const stream = fakeStream({
        name,
        mode: 'history',
        parallel: 4,
        slicing: { by: 'time', days: 2, lookbackMs: 0, lagMs: 0, first: 'whole', earliest: () => Promise.resolve(day(1)) },
        pages: () => [records],
      })
      const drive = { warehouse, stream, run: nextRun(), now: day(21) }
      const { slices } = await plan(drive)
      expect(slices).toHaveLength(10)
      await Promise.all(slices.map(({ key }) => readSlice(drive, key)))
      const found = await versions(name)
      expect(found).toHaveLength(20)
      found.slice(0, -1).forEach((version, i) => {
        expect(version.until).toBe(found[i + 1]!.since)
      })
      expect(found.filter(({ current }) => current)).toEqual([found.at(-1)])
    })
  })

  describe('replace_slice', () => {
    const slicing = {
      by: 'time',
      days: 7,
      lookbackMs: 14 * 86_400_000,
      lagMs: 0,
      first: 'whole',
      earliest: () => Promise.resolve(day(1)),
    } as const

    it('takes away within its slices what is gone at the vendor, and leaves the rest', async () => {
      const name = nextName()
      let records = Array.from({ length: 28 }, (_, i) => person(i + 1, day(i + 1)))
      const stream: FakeStream = { name, mode: 'replace_slice', slicing, pages: () => [records] }
      expect(await sync(stream, { now: '2026-01-29T00:00:00.000Z' })).toMatchObject({ read: 28, loaded: 28, deleted: 0 })
      // Restated: of the last fourteen days two are gone and one differs; one of long ago is gone, too, and nobody looks there.
      records = records
        .filter(({ id }) => !['3', '20', '25'].includes(String(id)))
        .map((one) => (one.id === '21' ? { ...one, name: 'restated' } : one))
      expect(await sync(stream, { now: '2026-01-30T00:00:00.000Z' })).toMatchObject({ loaded: 1, unchanged: 11, deleted: 2 })
      expect(
        await rows(
          `SELECT count(*)::int AS n, bool_or(id = '3') AS old, bool_or(id = '20') AS gone, max(name) FILTER (WHERE id = '21') AS name FROM fake.${name}`,
        ),
      ).toEqual([{ n: 26, old: true, gone: false, name: 'restated' }])
      expect(await rows(`SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = '_weir_stage'`)).toEqual([{ n: 0 }])
    })

    it('shows the old rows until the slice is whole, resumes in it, and counts every record once', async () => {
      const name = nextName()
      let records = Array.from({ length: 40 }, (_, i) => person(i, day(1 + (i % 6))))
      let failAt = -1
      const pages = () => Array.from({ length: 4 }, (_, i) => records.slice(i * 10, i * 10 + 10))
      const stream = fakeStream({
        name,
        mode: 'replace_slice',
        slicing,
        pages,
        before: (page) => {
          if (page === failAt) throw new Error('cut off')
        },
      })
      const limits = { batchBytes: 1 }
      await syncOnce({ warehouse, stream, run: nextRun(), now: day(8), limits })
      records = records.slice(5).map((one) => ({ ...one, name: 'new' }))
      const drive = { warehouse, stream, run: nextRun(), now: day(9), limits }
      const { slices } = await plan(drive)
      const { key } = slices.find((slice) => slice.key.includes(`${day(1)}..`))!
      failAt = 2
      await expect(readSlice(drive, key)).rejects.toThrow('cut off')
      expect(await rows(`SELECT count(*)::int AS n, count(*) FILTER (WHERE name = 'new')::int AS new FROM fake.${name}`)).toEqual([
        { n: 40, new: 0 },
      ])
      failAt = -1
      expect((await readSlice(drive, key)).counts).toMatchObject({ read: 35, loaded: 35, unchanged: 0, deleted: 5 })
      expect(await rows(`SELECT count(*)::int AS n, count(*) FILTER (WHERE name = 'new')::int AS new FROM fake.${name}`)).toEqual([
        { n: 35, new: 35 },
      ])
    })

    it('begins a slice anew in the next run, so that nothing gathered long ago is taken for today’s', async () => {
      const name = nextName()
      let records = Array.from({ length: 20 }, (_, i) => person(i, day(2)))
      let isBroken = true
      const stream = fakeStream({
        name,
        mode: 'replace_slice',
        slicing,
        pages: () => [records.slice(0, 10), records.slice(10)],
        before: (page) => {
          if (isBroken && page === 1) throw new Error('cut off')
        },
      })
      const drive = { warehouse, stream, run: nextRun(), now: day(6), limits: { batchBytes: 1 } }
      const { slices } = await plan(drive)
      await expect(readSlice(drive, slices[0]!.key)).rejects.toThrow('cut off')
      isBroken = false
      records = records.slice(4)
      expect(await syncOnce({ ...drive, run: nextRun(), now: day(7) })).toMatchObject({ deadLetters: 0, loaded: 16 })
      expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 16 }])
    })

    it('loses and doubles nothing when overlapping slices are exchanged at once', async () => {
      const name = nextName()
      const records = Array.from({ length: 60 }, (_, i) => person(i, day(1 + (i % 12))))
      const stream = fakeStream({ name, mode: 'replace_slice', slicing, pages: () => [records] })
      await syncOnce({ warehouse, stream, run: nextRun(), now: day(14) })
      const run = nextRun()
      await warehouse.planning.record(
        { sync: 'fake', stream: name, run },
        {
          slices: [1, 3, 5, 7].map((from) => ({ pass: 'main', from: day(from), to: day(from + 6) })),
          forget: [],
          watermarks: [],
          reset: false,
        },
      )
      const open = await warehouse.planning.open({ sync: 'fake', stream: name, run }, 10)
      await Promise.all(open.map(({ key }) => readSlice({ warehouse, stream, run }, key)))
      expect(await rows(`SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM fake.${name}`)).toEqual([{ n: 60, ids: 60 }])
    })
  })

  it.each(['replace', 'replace_slice'] as const)('%s leaves the row as it was of a record that cannot be stored now', async (mode) => {
    const name = nextName()
    let records = [person(1, day(1)), person(2, day(1)), person(3, day(1))]
    const slicing = {
      by: 'time',
      days: 7,
      lookbackMs: 14 * 86_400_000,
      lagMs: 0,
      first: 'whole',
      earliest: () => Promise.resolve(day(1)),
    } as const
    const stream: FakeStream = { name, mode, pages: () => [records], slicing: mode === 'replace' ? { by: 'all' } : slicing }
    await sync(stream, { now: day(8) })
    records = [person(1, day(1)), person(2, day(1), { name: 'nul \u0000' })]
    expect(await sync(stream, { now: day(9) })).toMatchObject({
      read: 2,
      deadLetters: 1,
      deleted: 1,
      status: 'completed_with_dead_letters',
    })
    expect(await rows(`SELECT id, name FROM fake.${name} ORDER BY id`)).toEqual([
      { id: '1', name: 'name 1' },
      { id: '2', name: 'name 2' },
    ])
  })

  describe('a snapshot that collapses', () => {
    it.each([
      ['nothing is left', 0, {}, 'gate'],
      ['more than half is gone', 40, {}, 'gate'],
      ['less than half is gone', 60, {}, undefined],
      ['a share is gone that is allowed', 40, { maxShrinkPercent: 70 }, undefined],
      ['a share is gone that is not allowed', 80, { maxShrinkPercent: 10 }, 'gate'],
    ])('%s', async (_, left, settings, reason) => {
      const name = nextName()
      let records = Array.from({ length: 100 }, (_, i) => person(i, day(1)))
      const stream: FakeStream = { name, mode: 'replace', slicing: { by: 'all' }, pages: () => [records] }
      const definition = fakeDefinition({ streams: { [name]: settings } })
      await sync(stream, { definition })
      records = records.slice(0, left)
      const result = await sync(stream, { definition })
      expect(result.failure?.reason).toBe(reason)
      expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: reason === undefined ? left : 100 }])
      expect(await rows(`SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = '_weir_stage'`)).toEqual([{ n: 0 }])
      if (reason === undefined) return
      expect(result.failure?.message).toContain('--accept shrink')
      expect(await sync(stream, { definition, accept: ['shrink'] })).toMatchObject({ status: 'completed', deleted: 100 - left })
      expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: left }])
    })
  })

  describe('a switch of mode', () => {
    it('is refused with what it would do, and listed before', async () => {
      const name = nextName()
      const stream: FakeStream = { name, pages: () => [[person(1, day(1))]] }
      await sync(stream)
      await expect(sync({ ...stream, mode: 'replace' })).rejects.toMatchObject({
        reason: 'config',
        message: expect.stringMatching(/merge and is now set to replace: .*no longer has are deleted.*--accept mode/),
      })
      expect(await modeSwitches(warehouse, fakeDefinition({ streams: { [name]: { mode: 'append' }, other: { mode: 'merge' } } }))).toEqual([
        { stream: name, from: 'merge', to: 'append', consequence: expect.stringContaining('no row is deleted') },
      ])
    })

    it('keeps rows, views and the place of the sync, there and back', async () => {
      const name = nextName()
      let records = [person(1, day(1)), person(2, day(1))]
      const pages = () => [records]
      await sync({ name, pages })
      await db.query(`CREATE VIEW fake.${name}_view AS SELECT id, name FROM fake.${name}`)
      const accept = ['mode'] as const
      records = [person(1, day(2), { name: 'second' })]
      expect(await sync({ name, mode: 'history', pages }, { accept: [...accept], full: true })).toMatchObject({ loaded: 1 })
      expect(await rows(`SELECT id, name, _weir_is_current AS now FROM fake.${name} ORDER BY id, _weir_valid_from`)).toEqual([
        { id: '1', name: 'name 1', now: false },
        { id: '1', name: 'second', now: true },
        { id: '2', name: 'name 2', now: true },
      ])
      await sync({ name, mode: 'append', pages }, { accept: [...accept], full: true })
      expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 3 }])
      records = [person(1, day(3), { name: 'third' })]
      expect(await sync({ name, mode: 'append', pages }, { full: true })).toMatchObject({ loaded: 1 })
      await sync({ name, mode: 'history', pages }, { accept: [...accept], full: true })
      expect(await rows(`SELECT count(*)::int AS n FROM fake.${name} WHERE _weir_is_current`)).toEqual([{ n: 2 }])
      await sync({ name, mode: 'merge', pages }, { accept: [...accept], full: true })
      expect(await rows(`SELECT id, name FROM fake.${name}_view ORDER BY id`)).toEqual([
        { id: '1', name: 'third' },
        { id: '2', name: 'name 2' },
      ])
      expect(await sync({ name, mode: 'merge', pages }, { full: true })).toMatchObject({ loaded: 0, unchanged: 1 })
      expect(
        await rows(`SELECT type FROM _weir.schema_changes WHERE table_name = '${name}' AND change = 'mode_switched' ORDER BY id`),
      ).toEqual([{ type: 'merge to history' }, { type: 'history to append' }, { type: 'append to history' }, { type: 'history to merge' }])
    })
  })
})
