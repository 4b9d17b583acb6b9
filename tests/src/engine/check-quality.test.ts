import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { QualityCheck } from '../../../src/core/quality.js'
import type { Fields, Rec, Stream, SyncMode } from '../../../src/core/types.js'
import { type CheckQualityInput, checkQuality } from '../../../src/engine/check-quality.js'
import type { QualityResult, Warehouse } from '../../../src/warehouse/driver.js'
import { syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream, noHttp } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const now = '2026-06-08T06:00:00.000Z'
const daysBefore = (days: number) => new Date(Date.parse(now) - days * 86_400_000).toISOString()

/** Names that a careless statement would trip over; each has a column of its own. */
const fields: Fields = {
  id: { type: 'text' },
  'e-mail "work"': { type: 'text' },
  SELECT: { type: 'text' },
  'spend; DROP': { type: 'bigint' },
  ratio: { type: 'double' },
  isOpen: { type: 'boolean' },
  day: { type: 'date' },
  extra: { type: 'json' },
  updated: { type: 'timestamp' },
  gone: { type: 'timestamp' },
}
const full = (id: number, more: Rec = {}): Rec => ({
  id: String(id),
  'e-mail "work"': `${id}@example.test`,
  SELECT: 'draft',
  'spend; DROP': '9007199254740993',
  ratio: 0.5,
  isOpen: true,
  day: '2026-06-01',
  extra: { a: 1 },
  updated: daysBefore(1),
  ...more,
})
/** Row 3 breaks what can be broken, row 4 is empty, row 5 repeats row 1, row 6 is deleted and would break all. */
const rows: Rec[] = [
  full(1),
  full(2),
  full(3, { SELECT: 'lost', 'spend; DROP': -1, ratio: 1.5, isOpen: false, day: '2026-07-01', updated: '2999-01-01T00:00:00Z' }),
  { id: '4', updated: daysBefore(2) },
  full(5, { 'e-mail "work"': '1@example.test' }),
  full(6, { SELECT: 'lost', 'spend; DROP': null, gone: daysBefore(1), 'e-mail "work"': '2@example.test' }),
]

const warn = (check: Record<string, unknown>) => ({ severity: 'warn', ...check }) as QualityCheck
const block = (check: Record<string, unknown>) => ({ severity: 'block', ...check }) as QualityCheck

describe.each(servers())('quality checks on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let runs = 0
  let streams = 0

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  const streamOf = (pages: () => Rec[], more: Partial<Stream> & { mode?: SyncMode } = {}): Stream => ({
    ...fakeStream({ name: `s${++streams}`, fields, deletedAt: 'gone', pages: () => [pages()] }),
    ...more,
  })

  /** One run of the stream, then its checks. */
  async function check(stream: Stream, quality: QualityCheck[], more: Partial<CheckQualityInput> & { at?: string } = {}) {
    const { at = now, ...given } = more
    const definition = fakeDefinition({ streams: { [stream.name]: { quality } } })
    const run = `run-${++runs}`
    await syncOnce({ warehouse, stream, run, definition, full: true, accept: ['shrink'], now: '2999-12-31T00:00:00.000Z' })
    const input = {
      warehouse,
      http: noHttp(),
      definition,
      stream,
      run,
      now: new Date(at),
      signal: new AbortController().signal,
      redact: (text: string) => text,
    }
    const receipt = await checkQuality({ ...input, ...given })
    return {
      receipt,
      run,
      again: () => checkQuality({ ...input, ...given, now: new Date() }),
      results: await warehouse.quality.results(run),
    }
  }
  const one = async (quality: QualityCheck, of: Rec[] = rows): Promise<QualityResult> =>
    (
      await check(
        streamOf(() => of),
        [quality],
      )
    ).results[0]!

  describe('over rows of which some break it, some are empty and one is deleted', () => {
    it.each<[string, Record<string, unknown>, Partial<QualityResult>]>([
      ['unique key', { check: 'unique', columns: ['id'] }, { status: 'pass', observed: 0, failingRows: 0 }],
      [
        'unique, repeated once',
        { check: 'unique', columns: ['e-mail "work"'] },
        { status: 'fail', observed: 1, failingRows: 1, unit: 'rows' },
      ],
      ['unique of two, by column name', { check: 'unique', columns: ['e_mail_work', 'id'] }, { status: 'pass', observed: 0 }],
      ['not null', { check: 'not_null', columns: ['id', 'updated'] }, { status: 'pass', failingRows: 0 }],
      [
        'not null of several',
        { check: 'not_null', columns: ['SELECT', 'extra'] },
        { status: 'fail', failingRows: 1, samples: [{ id: '4' }] },
      ],
      [
        'values of text',
        { check: 'accepted_values', column: 'SELECT', values: ['draft'] },
        { status: 'fail', failingRows: 1, samples: [{ id: '3' }] },
      ],
      [
        'values of text, all',
        { check: 'accepted_values', column: 'select', values: ['draft', 'lost'] },
        { status: 'pass', failingRows: 0 },
      ],
      [
        'values of whole numbers beyond a double',
        { check: 'accepted_values', column: 'spend; DROP', values: ['9007199254740993', '-1'] },
        { status: 'pass' },
      ],
      [
        'values next to it',
        { check: 'accepted_values', column: 'spend; DROP', values: ['9007199254740992', '-1'] },
        { status: 'fail', failingRows: 3 },
      ],
      ['values of true and false', { check: 'accepted_values', column: 'isOpen', values: ['true'] }, { status: 'fail', failingRows: 1 }],
      ['values of dates', { check: 'accepted_values', column: 'day', values: ['2026-06-01'] }, { status: 'fail', failingRows: 1 }],
      ['range, both ends included', { check: 'range', column: 'ratio', min: '0.5', max: '1.5' }, { status: 'pass' }],
      [
        'range from a fraction, of whole numbers',
        { check: 'range', column: 'spend; DROP', min: '-0.5' },
        { status: 'fail', failingRows: 1, samples: [{ id: '3' }] },
      ],
      ['range of dates', { check: 'range', column: 'day', max: '2026-06-30' }, { status: 'fail', failingRows: 1 }],
      ['range of instants', { check: 'range', column: 'updated', max: '2027-01-01' }, { status: 'fail', failingRows: 1 }],
      [
        'share within',
        { check: 'null_share', column: 'SELECT', maxPercent: 20 },
        { status: 'pass', observed: 20, threshold: 20, unit: 'percent', samples: [] },
      ],
      [
        'share beyond',
        { check: 'null_share', column: 'SELECT', maxPercent: 19.9 },
        { status: 'fail', observed: 20, failingRows: 1, samples: [{ id: '4' }] },
      ],
      [
        'fresh by its cursor, what lies in the future left out',
        { check: 'freshness', maxMs: 86_400_000 },
        { status: 'pass', observed: 86_400, unit: 'seconds' },
      ],
      ['not fresh', { check: 'freshness', column: 'updated', maxMs: 86_399_000 }, { status: 'fail', observed: 86_400, threshold: 86_399 }],
      ['fresh by a date', { check: 'freshness', column: 'day', maxMs: 86_400_000 }, { status: 'fail', observed: 7 * 86_400 + 6 * 3_600 }],
    ])('%s', async (_, given, expected) => {
      expect(await one(warn(given))).toMatchObject({ rows: 5, ...expected })
    })

    it('samples are keys, five at most', async () => {
      const many = Array.from({ length: 9 }, (_, i) => full(i, { SELECT: null }))
      const { failingRows, samples } = await one(warn({ check: 'not_null', columns: ['SELECT'] }), many)
      expect(failingRows).toBe(9)
      expect(samples).toHaveLength(5)
      for (const sample of samples) expect(Object.keys(sample)).toEqual(['id'])
    })

    it('a key that nothing holds apart is counted: every version of an append, and a table that lost its index', async () => {
      const unique = [warn({ check: 'unique', columns: ['id'] })]
      const twice = [full(1), full(1, { SELECT: 'sent' }), full(2)]
      const appended = await check(
        streamOf(() => twice, { mode: 'append' }),
        unique,
      )
      expect(appended.results).toMatchObject([{ status: 'fail', failingRows: 1, rows: 3, samples: [{ id: '1' }] }])
      const stream = streamOf(() => rows)
      await check(stream, [])
      await db.query(`ALTER TABLE fake.${stream.name} DROP CONSTRAINT ${stream.name}_pkey`)
      await db.query(`INSERT INTO fake.${stream.name} SELECT * FROM fake.${stream.name} WHERE id IN ('1', '2')`)
      const definition = fakeDefinition({ streams: { [stream.name]: { quality: unique } } })
      const input = {
        warehouse,
        http: noHttp(),
        definition,
        stream,
        now: new Date(now),
        signal: new AbortController().signal,
        redact: String,
      }
      await checkQuality({ ...input, run: `run-${++runs}` })
      expect(await warehouse.quality.results(`run-${runs}`)).toMatchObject([{ status: 'fail', failingRows: 2, rows: 7 }])
    })

    it('samples of doubled values are the rows beyond the first', async () => {
      const { samples } = await one(warn({ check: 'unique', columns: ['e-mail "work"'] }))
      expect(['1', '5']).toContain(samples[0]?.id)
    })

    it.each([
      [
        'is named like an address',
        { key: ['e-mail "work"'] as [string], deletedAt: 'gone' },
        rows.filter((row) => row['e-mail "work"']).slice(0, 3),
      ],
      ['holds addresses', {}, [full(1, { id: 'ana@example.test', SELECT: 'lost' }), full(2, { id: '+4915112345678', SELECT: 'lost' })]],
    ])('a key that %s is never shown', async (_, more, of) => {
      const { results } = await check(
        streamOf(() => of, more),
        [warn({ check: 'accepted_values', column: 'SELECT', values: ['x'] })],
      )
      expect(results[0]).toMatchObject({ status: 'fail', samples: [] })
      const { rows: stored } = await db.query("SELECT count(*)::int AS n FROM _weir.quality_results q WHERE q::text ~ '@|[+]49'")
      expect(stored[0].n).toBe(0)
    })
  })

  it('an empty table has nothing wrong in it, but is not fresh', async () => {
    const checks = [
      { check: 'unique', columns: ['id'] },
      { check: 'not_null', columns: ['id'] },
      { check: 'accepted_values', column: 'SELECT', values: ['x'] },
      { check: 'range', column: 'ratio', min: '1' },
      { check: 'null_share', column: 'ratio', maxPercent: 0 },
      { check: 'freshness', maxMs: 60_000 },
      { check: 'row_count_change', maxPercent: 1, against: 'last' },
    ]
    const { results, receipt } = await check(
      streamOf(() => []),
      checks.map(warn),
    )
    expect(results.map(({ check: name, status, rows: count }) => [name, status, count])).toEqual([
      ['unique', 'pass', 0],
      ['not_null', 'pass', 0],
      ['accepted_values', 'pass', 0],
      ['range', 'pass', 0],
      ['null_share', 'pass', 0],
      ['freshness', 'fail', 0],
      ['row_count_change', 'recorded', 0],
    ])
    expect(receipt).toEqual({ failedChecks: ['freshness'] })
  })

  it('of a history only the versions that stand now count', async () => {
    const stream = streamOf(() => rows)
    const spec = { schema: 'fake', table: stream.name, key: stream.key, mode: 'history' as const, fields }
    await check(stream, [])
    await db.query(`ALTER TABLE fake.${stream.name} ADD COLUMN _weir_is_current boolean NOT NULL DEFAULT true`)
    await db.query(`UPDATE fake.${stream.name} SET _weir_is_current = id <> '3'`)
    expect(await warehouse.quality.measure({ spec, measures: [], shown: [], timeoutMs: 10_000 })).toEqual({ rows: 4, values: [] })
  })

  describe('what cannot be checked is an error of that check alone', () => {
    it.each([
      ['a column that is not there', { check: 'not_null', columns: ['slect'] }, /no column "slect"; nearest: "select", /],
      ['a type that has no order', { check: 'range', column: 'SELECT', min: '0' }, /"SELECT" cannot be checked so: it holds text/],
      ['a value that is none of the column', { check: 'accepted_values', column: 'isOpen', values: ['yes'] }, /"yes" is none/],
      ['a total that the stream has not', { check: 'reconcile', total: 'count', tolerancePercent: 1 }, /reports no total/],
    ])('%s', async (_, given, message) => {
      const { results, receipt } = await check(
        streamOf(() => rows),
        [warn(given), warn({ check: 'not_null', columns: ['id'] })],
      )
      expect(results).toMatchObject([{ status: 'error', message: expect.stringMatching(message) }, { status: 'pass' }])
      expect(receipt.failure).toBeUndefined()
      expect(receipt.failedChecks).toHaveLength(1)
    })

    it('a scan that takes too long', async () => {
      const stream = streamOf(() => rows)
      await check(stream, [])
      await db.query(`BEGIN; LOCK TABLE fake.${stream.name}`)
      const definition = fakeDefinition({ streams: { [stream.name]: { quality: [warn({ check: 'not_null', columns: ['id'] })] } } })
      const input = {
        warehouse,
        http: noHttp(),
        definition,
        stream,
        run: 'slow',
        now: new Date(now),
        signal: new AbortController().signal,
        redact: String,
      }
      try {
        expect(await checkQuality({ ...input, timeoutMs: 100 })).toEqual({ failedChecks: ['not_null(id)'] })
      } finally {
        await db.query('ROLLBACK')
      }
      expect(await warehouse.quality.results('slow')).toMatchObject([
        { status: 'error', message: expect.stringContaining('did not end within 0.1 s') },
      ])
    })

    it('a vendor that refuses to count', async () => {
      const stream = streamOf(() => rows, { total: () => Promise.reject(new Error('secret scope missing')) })
      const redact = (text: string) => text.replace('secret', '***')
      const { results } = await check(stream, [warn({ check: 'reconcile', total: 'count', tolerancePercent: 1 })], { redact })
      expect(results).toMatchObject([{ status: 'error', message: expect.stringContaining('*** scope missing') }])
    })
  })

  describe('a check that blocks', () => {
    const quality = [block({ check: 'not_null', columns: ['SELECT'] }), warn({ check: 'unique', columns: ['e-mail "work"'] })]

    it('fails the run of the stream with reason quality; rows and watermarks stay', async () => {
      const stream = streamOf(() => rows)
      const { receipt, run } = await check(stream, quality)
      expect(receipt).toEqual({
        failedChecks: ['not_null(SELECT)', 'unique(e-mail "work")'],
        failure: {
          reason: 'quality',
          message: expect.stringMatching(/^Check not_null\(SELECT\) of fake\/s\d+ did not pass: 1 of 5 rows lack a value\./),
        },
      })
      expect(await warehouse.runs.streams(run)).toMatchObject([{ status: 'failed', failure: receipt.failure, loaded: 6 }])
      expect((await db.query(`SELECT count(*)::int AS n FROM fake.${stream.name}`)).rows).toEqual([{ n: 6 }])
      expect((await warehouse.state.read({ sync: 'fake', stream: stream.name })).watermarks).toHaveLength(1)
    })

    it('leaves the run completed when it passes, also beside a warning', async () => {
      const { receipt, run } = await check(
        streamOf(() => [full(1), full(2, { 'e-mail "work"': '1@example.test' })]),
        quality,
      )
      expect(receipt).toEqual({ failedChecks: ['unique(e-mail "work")'] })
      expect(await warehouse.runs.streams(run)).toMatchObject([{ status: 'completed' }])
    })

    it('fails the run when it cannot be made', async () => {
      const { receipt } = await check(
        streamOf(() => rows),
        [block({ check: 'not_null', columns: ['nowhere'] })],
      )
      expect(receipt.failure).toMatchObject({ reason: 'quality' })
    })

    it('answers a second time as the first, whatever the table holds by then', async () => {
      const stream = streamOf(() => rows)
      const { receipt, results, run, again } = await check(stream, quality)
      await db.query(`DELETE FROM fake.${stream.name}`)
      expect(await again()).toEqual(receipt)
      expect(await warehouse.quality.results(run)).toEqual(results)
    })
  })

  describe('the number of rows', () => {
    const change = (maxPercent: number, against = 'same_weekday') => [warn({ check: 'row_count_change', maxPercent, against })]
    const some = (count: number) => () => Array.from({ length: count }, (_, i) => full(i))

    /** Runs of one stream, each with so many rows so many days before now. */
    async function history(counts: [rows: number, days: number][], quality: QualityCheck[]): Promise<QualityResult> {
      let count = 0
      const stream = streamOf(() => some(count)(), { mode: 'replace' })
      let last: QualityResult | undefined
      for (const [size, days] of counts) {
        count = size
        last = (await check(stream, quality, { at: daysBefore(days) })).results[0]
      }
      return last!
    }

    it('is recorded the first time', async () => {
      expect(await history([[10, 0]], change(30))).toMatchObject({
        status: 'recorded',
        rows: 10,
        message: expect.stringContaining('no earlier check'),
      })
    })

    it('is compared with the same weekday, not with yesterday, give or take some hours', async () => {
      const week: [number, number][] = [
        [100, 8],
        [50, 7.2],
        [10, 7.1],
        [100, 6.5],
        [100, 1],
      ]
      expect(await history([...week, [12, 0]], change(30))).toMatchObject({ status: 'pass', observed: 20, rows: 12, threshold: 30 })
      expect(await history([...week, [14, 0]], change(30))).toMatchObject({ status: 'fail', observed: 40 })
    })

    it('falls back to the last check, and says so', async () => {
      const found = await history(
        [
          [100, 7.5],
          [20, 1],
          [5, 0],
        ],
        change(30),
      )
      expect(found).toMatchObject({
        status: 'fail',
        observed: -75,
        message: expect.stringContaining('the last check: there is none of a week before'),
      })
    })

    it('is compared with the last check when that is asked for', async () => {
      const found = await history(
        [
          [100, 7],
          [20, 1],
          [20, 0],
        ],
        change(0, 'last'),
      )
      expect(found).toMatchObject({ status: 'pass', observed: 0 })
      expect(found.message).not.toContain('the last check')
    })

    it('tells no percentage of none, and all of it when all rows are gone', async () => {
      expect(
        await history(
          [
            [0, 7],
            [5, 0],
          ],
          change(30),
        ),
      ).toMatchObject({ status: 'recorded', rows: 5 })
      expect(
        await history(
          [
            [5, 7],
            [0, 0],
          ],
          change(30),
        ),
      ).toMatchObject({ status: 'fail', observed: -100 })
    })
  })

  describe('what the vendor counts', () => {
    const reconcile = (tolerancePercent: number) => [warn({ check: 'reconcile', total: 'count', tolerancePercent })]
    it.each([
      [5, 0, { status: 'pass', observed: 0 }],
      [4, 25, { status: 'pass', observed: 25 }],
      [4, 24.9, { status: 'fail', observed: 25, rows: 5 }],
      [0, 100, { status: 'fail', observed: 500 }],
    ])('%i against 5 living rows, %d % allowed', async (total, tolerance, expected) => {
      const stream = streamOf(() => rows, { total: () => Promise.resolve(total) })
      expect((await check(stream, reconcile(tolerance))).results).toMatchObject([expected])
    })
  })
})
