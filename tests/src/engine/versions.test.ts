/** Which version of a row stands where the vendor does not say which is newer, or changes one without moving its cursor. */
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Fields, Rec } from '../../../src/core/types.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { syncOnce } from '../../support/engine.js'
import { type FakeStream, fakeStream } from '../../support/fake-source.js'
import { replayOnce, withoutCursor } from '../../support/letters.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00.000Z`
const one = (name: string, updated?: string, more: Rec = {}): Rec => ({
  id: '1',
  name,
  ...(updated === undefined ? {} : { updated }),
  ...more,
})
const fields: Fields = {
  id: { type: 'text' },
  name: { type: 'text' },
  updated: { type: 'timestamp' },
  archivedAt: { type: 'timestamp' },
}

describe.each(servers())('versions on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let count = 0
  const rows = async (sql: string, values: unknown[] = []) => (await db.query(sql, values)).rows as Record<string, unknown>[]

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  /** A table of a mode, and a reading of it: what the vendor gives, page by page, each page a batch of its own. */
  function table(mode: FakeStream['mode'] & string, isOneBatch = false) {
    const name = `s${++count}`
    let pages: Rec[][] = []
    const stream = fakeStream({ name, mode, fields, deletedAt: 'archivedAt', slicing: { by: 'all' }, pages: () => pages })
    const read = (...given: Rec[]) => {
      pages = isOneBatch ? [given] : given.map((record) => [record])
      return syncOnce({ warehouse, stream, run: `run-${++count}`, full: true, limits: { batchBytes: 1 } })
    }
    const replay = () => replayOnce({ warehouse, stream, run: `run-${++count}` })
    const letters = () => rows('SELECT payload, message, status, attempts FROM _weir.dead_letters WHERE stream = $1 ORDER BY id', [name])
    const names = async () => (await rows(`SELECT name FROM fake.${name}`)).map((row) => row.name)
    const versions = async () =>
      (
        await rows(
          `SELECT name || CASE WHEN _weir_deleted_at IS NULL THEN '' ELSE ' gone' END AS name, _weir_is_current AS current,
                  to_char(_weir_valid_from, 'MM-DD') AS since, _weir_valid_from = _weir_seen_at AS "whenSeen",
                  _weir_valid_to IS NOT DISTINCT FROM lead(_weir_valid_from) OVER (ORDER BY _weir_valid_from) AS linked
             FROM fake.${name} ORDER BY _weir_valid_from`,
        )
      ).map(({ linked, ...version }) => {
        expect(linked).toBe(true)
        return version
      })
    const story = async () => {
      const all = await versions()
      expect(all.map(({ current }) => current)).toEqual(all.map((_, i) => i === all.length - 1))
      return all.map((version) => version.name)
    }
    return { name, stream, read, replay, letters, names, versions, story }
  }

  describe('merge: a version that does not say how old it is', () => {
    it('never takes the place of a row that does: it becomes a dead letter, and an older version does not slip in behind it', async () => {
      const { read, names, letters } = table('merge')
      expect(await read(one('newer', day(5)))).toMatchObject({ loaded: 1 })
      expect(await read(one('undated'))).toMatchObject({ read: 1, loaded: 0, unchanged: 0, deadLetters: 1 })
      expect(await names()).toEqual(['newer'])
      expect(await letters()).toEqual([
        { payload: one('undated'), message: expect.stringContaining('"updated"'), status: 'open', attempts: 1 },
      ])
      expect(await read(one('older', day(2)))).toMatchObject({ loaded: 0, unchanged: 1 })
      expect(await names()).toEqual(['newer'])
    })

    it.each([true, false])('stands the same whatever comes first and however batches are cut (one batch: %s)', async (isOneBatch) => {
      for (const given of [
        [one('undated'), one('newer', day(5)), one('older', day(2))],
        [one('older', day(2)), one('newer', day(5)), one('undated')],
        [one('newer', day(5)), one('undated'), one('older', day(2))],
      ]) {
        const { read, names } = table('merge', isOneBatch)
        await read(...given)
        await read(...given)
        expect(await names()).toEqual(['newer'])
      }
    })

    it('says nothing that is not known already, where only its cursor is missing', async () => {
      const { read, names, letters } = table('merge')
      await read(one('same', day(5)))
      expect(await read(one('same'))).toMatchObject({ unchanged: 1, deadLetters: 0 })
      expect([await names(), await letters()]).toEqual([['same'], []])
    })

    it('is as good as any other among its like, and gives way to one that says', async () => {
      const { read, names, letters } = table('merge')
      await read(one('first'))
      expect(await read(one('second'))).toMatchObject({ loaded: 1 })
      expect(await names()).toEqual(['second'])
      expect(await read(one('dated', day(1)))).toMatchObject({ loaded: 1 })
      expect([await names(), await letters()]).toEqual([['dated'], []])
    })

    it('fails again in a replay while the row stands that it cannot be compared with', async () => {
      const { read, replay, names } = table('merge')
      await read(one('newer', day(5)))
      await read(one('undated'))
      expect(await replay()).toMatchObject({ failed: 1, loaded: 0, unchanged: 0 })
      expect(await names()).toEqual(['newer'])
    })

    it.each([true, false])('is dated by its deletion (one batch: %s)', async (isOneBatch) => {
      const { read, name } = table('merge', isOneBatch)
      await read(one('alive', day(5)), one('gone', undefined, { archivedAt: day(7) }), one('alive', day(6)), one('alive', day(7)))
      expect(await rows(`SELECT name, _weir_deleted_at IS NOT NULL AS gone FROM fake.${name}`)).toEqual([{ name: 'gone', gone: true }])
    })
  })

  describe('history: a change that does not move the cursor', () => {
    it('is a version of its own, valid from when it was seen; consent as of a date is kept', async () => {
      const { read, versions } = table('history')
      await read(one('subscribed', day(5)))
      expect(await read(one('unsubscribed', day(5)))).toMatchObject({ read: 1, loaded: 1 })
      expect(await versions()).toEqual([
        { name: 'subscribed', since: '01-05', whenSeen: false, current: false },
        { name: 'unsubscribed', since: expect.any(String), whenSeen: true, current: true },
      ])
    })

    it.each([true, false])('stands once however often it is read, and again when it comes back (one batch: %s)', async (isOneBatch) => {
      const { read, story } = table('history', isOneBatch)
      await read(one('a', day(5)), one('b', day(5)))
      expect(await read(one('b', day(5)), one('b', day(5)))).toMatchObject({ loaded: 0, unchanged: 2 })
      expect(await story()).toEqual(['a', 'b'])
      expect(await read(one('a', day(5)))).toMatchObject({ loaded: 1 })
      expect(await read(one('a', day(5)))).toMatchObject({ loaded: 0, unchanged: 1 })
      expect(await story()).toEqual(['a', 'b', 'a'])
    })

    it('is not made again by a page that gives two states of one row, where both come in one batch', async () => {
      const { read, story } = table('history', true)
      for (let i = 0; i < 3; i++) await read(one('a', day(5)), one('b', day(5)))
      expect(await story()).toEqual(['a', 'b'])
    })

    it.each([true, false])('stays behind the version whose cursor is newer (one batch: %s)', async (isOneBatch) => {
      const { read, story } = table('history', isOneBatch)
      await read(one('first', day(2)), one('last', day(9)))
      await read(one('changed', day(2)), one('late', day(5)))
      expect(await story()).toEqual(['first', 'changed', 'late', 'last'])
      await read(one('changed', day(2)), one('first', day(2)))
      expect((await story()).at(-1)).toBe('last')
      await read(one('later', '2027-01-01T00:00:00Z'), one('later still', '2027-01-01T00:00:00Z'))
      expect((await story()).slice(-3)).toEqual(['last', 'later', 'later still'])
    })

    it('ends where a version of a newer cursor begins, whenever that one comes', async () => {
      const { read, versions } = table('history')
      await read(one('a', day(5)), one('b', day(5)))
      await read(one('c', day(7)))
      expect((await versions()).map(({ name, since }) => [name, since])).toEqual([
        ['a', '01-05'],
        ['b', '01-06'],
        ['c', '01-07'],
      ])
    })

    it.each([true, false])('deletes from the instant of deletion, which only a newer version ends (one batch: %s)', async (isOneBatch) => {
      const { read, versions, story } = table('history', isOneBatch)
      await read(one('alive', day(4)), one('dead', day(4), { archivedAt: day(4) }))
      expect(await read(one('alive', day(4)), one('dead', day(4), { archivedAt: day(4) }))).toMatchObject({ loaded: 0, unchanged: 2 })
      expect((await versions()).map(({ name, since }) => [name, since])).toEqual([
        ['alive', '01-04'],
        ['dead gone', '01-04'],
      ])
      await read(one('alive too', day(4)))
      expect((await story()).at(-1)).toBe('dead gone')
      await read(one('back', day(6)))
      expect((await story()).at(-1)).toBe('back')
    })

    it('is as old as its first reading when it was a dead letter', async () => {
      const { name, read, replay, story } = table('history')
      await read(one('a', day(5)))
      await read(one('b \u0000', day(5)))
      await rows(`UPDATE _weir.dead_letters SET payload = '{"id":"1","name":"b","updated":"${day(5)}"}' WHERE stream = $1`, [name])
      await read(one('c', day(5)))
      expect(await story()).toEqual(['a', 'c'])
      expect(await replay()).toMatchObject({ loaded: 1 })
      expect(await story()).toEqual(['a', 'b', 'c'])
    })

    it('is as old as its first reading also where the vendor gives no time', async () => {
      const { name, stream, story } = table('history')
      const timeless = withoutCursor(stream)
      let records = [one('a')]
      const drive = () => ({
        warehouse,
        run: `run-${++count}`,
        full: true,
        stream: {
          ...timeless,
          passes: [
            {
              ...timeless.passes[0],
              read: async function* () {
                yield { records }
              },
            },
          ],
        } as typeof timeless,
      })
      await syncOnce(drive())
      records = [one('b \u0000')]
      await syncOnce(drive())
      await rows(`UPDATE _weir.dead_letters SET payload = '{"id":"1","name":"b"}' WHERE stream = $1`, [name])
      records = [one('c')]
      await syncOnce(drive())
      expect(await replayOnce({ warehouse, stream: timeless, run: `run-${++count}` })).toMatchObject({ loaded: 1 })
      expect(await story()).toEqual(['a', 'b', 'c'])
    })

    it('is kept when the table comes from append', async () => {
      const { name, stream, read, story } = table('append')
      await read(one('a', day(5)))
      await read(one('b', day(5)))
      await read(one('c', day(7)))
      const history = { ...stream, mode: 'history' as const }
      await syncOnce({ warehouse, stream: history, run: `run-${++count}`, full: true, accept: ['mode'] })
      expect(await story()).toEqual(['a', 'b', 'c'])
      expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 3 }])
    })
  })
})
