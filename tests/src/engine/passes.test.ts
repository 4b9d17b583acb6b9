import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Page, Rec, Stream, SyncMode } from '../../../src/core/types.js'
import { finishStream } from '../../../src/engine/finish-stream.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { replayOnce } from '../../support/letters.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const updated = '2026-01-01T00:00:00Z'

describe.each(servers())('two passes that read one row at the same moment, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let count = 0

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  interface Shop {
    mode: SyncMode
    /** Does the record say how old it is? */
    hasCursor: boolean
    before: Rec
    after: Rec
    /** Which pass commits first. */
    first: 'early' | 'late'
    /** Done when the early one has read and nobody has committed. */
    meanwhile?: (table: string) => Promise<unknown>
  }

  /** One pass reads the row as it was, the other as it is a moment later; then they commit, one after the other. */
  async function readBoth({ mode, hasCursor, before, after, first, meanwhile }: Shop) {
    const name = `p${++count}`
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let hasRead = () => {}
    const reading = new Promise<void>((resolve) => {
      hasRead = resolve
    })
    async function* early(): AsyncIterable<Page> {
      hasRead()
      yield { records: [before], resume: { at: 1 } }
      if (first === 'late') await held
      yield { records: [] }
    }
    async function* late(): AsyncIterable<Page> {
      yield { records: [after] }
    }
    const { cursor, ...rest } = fakeStream({ name, mode, deletedAt: 'gone', pages: () => [] })
    const slicing = { by: 'all' } as const
    const stream: Stream = {
      ...rest,
      ...(hasCursor && cursor ? { cursor } : {}),
      passes: [
        { name: 'early', slicing, read: early },
        { name: 'late', slicing, read: late },
      ],
    }
    const drive = { warehouse, stream, run: `run-${name}` }
    await plan(drive)
    const one = readSlice(drive, 'early')
    await reading
    await meanwhile?.(`fake.${name}`)
    if (first === 'early') await one
    await readSlice(drive, 'late')
    release()
    await one
    const receipt = await finishStream({ ...drive, definition: fakeDefinition() })
    expect(receipt.read).toBe(2)
    if (meanwhile === undefined) expect(receipt).toMatchObject({ status: 'completed', deadLetters: 0 })
    return { name, stream, receipt }
  }

  const rows = async (sql: string) => (await db.query(sql)).rows
  const person = (name: string, more: Rec = {}): Rec => ({ id: '1', name, updated, ...more })

  describe.each(['merge', 'replace'] as const)('in mode %s', (mode) => {
    const ways = [true, false].flatMap((hasCursor) => (['early', 'late'] as const).map((first) => ({ hasCursor, first })))
    it.each(ways)('leave what was read last, whichever commits first: $first, with a cursor: $hasCursor', async ({ hasCursor, first }) => {
      const { name } = await readBoth({ mode, hasCursor, first, before: person('was'), after: person('is') })
      expect(await rows(`SELECT name FROM fake.${name}`)).toEqual([{ name: 'is' }])
    })
  })

  it.each(['early', 'late'] as const)('leave a newer version though it was read first, whichever commits first: %s', async (first) => {
    const newer = person('newer', { updated: '2026-02-01T00:00:00Z' })
    const { name } = await readBoth({ mode: 'merge', hasCursor: true, first, before: newer, after: person('older') })
    expect(await rows(`SELECT name FROM fake.${name}`)).toEqual([{ name: 'newer' }])
  })

  it.each(['early', 'late'] as const)(
    'are two versions of a history, in the order in which they were read: %s commits first',
    async (first) => {
      const { name } = await readBoth({ mode: 'history', hasCursor: true, first, before: person('was'), after: person('is') })
      const versions = await rows(
        `SELECT name, _weir_is_current AS current, _weir_valid_from = updated AS "sinceItsAge", _weir_valid_from = _weir_seen_at AS "sinceItWasSeen",
              _weir_valid_to IS NOT DISTINCT FROM lead(_weir_valid_from) OVER (ORDER BY _weir_valid_from) AS linked
         FROM fake.${name} ORDER BY _weir_valid_from`,
      )
      expect(versions).toEqual([
        { name: 'was', current: false, sinceItsAge: true, sinceItWasSeen: false, linked: true },
        { name: 'is', current: true, sinceItsAge: false, sinceItWasSeen: true, linked: true },
      ])
    },
  )

  it.each([true, false])(
    'count for a dead letter, which is as old as its reading, not as its commit; with a cursor: %s',
    async (hasCursor) => {
      const { name, stream, receipt } = await readBoth({
        mode: 'merge',
        hasCursor,
        first: 'late',
        before: person('was'),
        after: person('is'),
        meanwhile: (table) => db.query(`ALTER TABLE ${table} ADD CONSTRAINT open CHECK (name <> 'was')`),
      })
      expect(receipt).toMatchObject({ deadLetters: 1 })
      await db.query(`ALTER TABLE fake.${name} DROP CONSTRAINT open`)
      expect(await replayOnce({ warehouse, stream, run: `replay-${name}` })).toMatchObject({ loaded: 0, unchanged: 1, failed: 0 })
      expect(await rows(`SELECT name FROM fake.${name}`)).toEqual([{ name: 'is' }])
    },
  )

  it.each(['merge', 'append', 'replace', 'replace_slice', 'history'] as const)(
    'go on in a table of an earlier version, which says nothing of when it was read, in mode %s',
    async (mode) => {
      const name = `p${++count}`
      const read = (run: number, ...people: Rec[]) =>
        syncOnce({ warehouse, stream: fakeStream({ name, mode, pages: () => [people] }), run: `run-${name}-${run}`, full: true })
      await read(1, person('was'), { ...person('same'), id: '2' })
      const times = mode === 'history' ? ', _weir_valid_from::text AS since' : ''
      const before = await rows(`SELECT id, name${times} FROM fake.${name} ORDER BY id`)
      await db.query(`ALTER TABLE fake.${name} DROP COLUMN _weir_seen_at`)
      expect(await read(2, person('is'), { ...person('same'), id: '2' })).toMatchObject({ status: 'completed', loaded: 1, unchanged: 1 })
      const stand = await rows(`SELECT id, name, _weir_seen_at IS NOT NULL AS seen${times} FROM fake.${name} ORDER BY id, name DESC`)
      expect(stand.map(({ id, name, seen }) => [id, name, seen])).toEqual([
        ...(mode === 'append' || mode === 'history' ? [['1', 'was', false]] : []),
        ['1', 'is', true],
        ['2', 'same', false],
      ])
      if (mode === 'history') expect(stand.filter(({ seen }) => !seen).map(({ since }) => since)).toEqual(before.map(({ since }) => since))
    },
  )

  it('can be told in a table of an earlier version that is switched to another mode before it is read', async () => {
    const name = `p${++count}`
    const stream = (mode: SyncMode, ...people: Rec[]) => fakeStream({ name, mode, pages: () => [people] })
    await syncOnce({ warehouse, stream: stream('append', person('was')), run: `run-${name}-1` })
    await syncOnce({ warehouse, stream: stream('append', person('is')), run: `run-${name}-2`, full: true })
    await db.query(`ALTER TABLE fake.${name} DROP COLUMN _weir_seen_at`)
    const drive = { warehouse, stream: stream('merge', person('is')), run: `run-${name}-3` }
    expect(await syncOnce({ ...drive, accept: ['mode'] })).toMatchObject({ status: 'completed' })
    expect(await rows(`SELECT name FROM fake.${name}`)).toEqual([{ name: 'is' }])
  })

  it.each(['merge', 'history', 'replace'] as const)('say nothing new where they read the same, in mode %s', async (mode) => {
    const { name } = await readBoth({ mode, hasCursor: true, first: 'late', before: person('same'), after: person('same') })
    expect(await rows(`SELECT name FROM fake.${name}`)).toEqual([{ name: 'same' }])
  })
})
