import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure, type Reason } from '../../../src/core/failure.js'
import { balances } from '../../../src/core/receipt.js'
import { halvesOf } from '../../../src/core/slices.js'
import type { Page, ReadContext, Rec, Slicing, SyncMode } from '../../../src/core/types.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeStream } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const dayMs = 86_400_000
const day = (of: number) => new Date(Date.UTC(2026, 4, of)).toISOString()
const now = '2026-05-16T12:00:00.000Z'

/** One row an account and day; a page a row. What a slice may not be read for is decided by the test. */
function network(name: string, mode: SyncMode, more: Partial<Extract<Slicing, { by: 'time' }>> = {}) {
  const held = { accounts: ['1', '2'], refuse: (_: ReadContext['slice'], __: number) => undefined as Reason | undefined, clicks: 1 }
  async function* read({ slice, resume }: ReadContext): AsyncIterable<Page> {
    const first = Date.parse(slice.from!) / dayMs
    const days = Date.parse(slice.to!) / dayMs - first
    for (let at = Number(resume?.at ?? 0); at < days; at++) {
      const reason = held.refuse(slice, at)
      if (reason) throw new Failure(reason, `The vendor refused ${slice.parent}.`)
      const updated = new Date((first + at) * dayMs).toISOString().slice(0, 10)
      const row: Rec = { id: `${slice.parent} ${updated}`, account: slice.parent, updated, clicks: held.clicks }
      yield { records: [row], ...(at + 1 < days ? { resume: { at: at + 1 } } : {}) }
    }
    if (days === 0) yield { records: [] }
  }
  const slicing: Slicing = {
    by: 'time',
    wholeDays: true,
    lookbackMs: 0,
    lagMs: 0,
    first: 'whole',
    earliest: () => Promise.resolve(day(1)),
    async *parents() {
      yield* held.accounts
    },
    smallestMs: dayMs,
    ...more,
  }
  const fields = { id: { type: 'text' }, account: { type: 'text' }, updated: { type: 'date' }, clicks: { type: 'bigint' } } as const
  const stream = fakeStream({ name, mode, slicing, parentField: 'account', fields, pages: () => [] })
  return { stream: { ...stream, passes: [{ name: 'main', slicing, read }] as const }, held }
}
const daysOf = ({ from, to }: ReadContext['slice']) => (Date.parse(to!) - Date.parse(from!)) / dayMs

describe.each(servers())('slices that cannot be read, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let runs = 0
  const nextRun = () => `run-${++runs}`
  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })
  const counted = async (stream: string) =>
    (await db.query(`SELECT account, count(*)::int AS n, sum(clicks)::int AS clicks FROM fake.${stream} GROUP BY 1 ORDER BY 1`)).rows
  const letters = async (stream: string) =>
    (
      await db.query('SELECT reason, record_key AS key, attempts, status, message FROM _weir.dead_letters WHERE stream = $1 ORDER BY id', [
        stream,
      ])
    ).rows
  const marks = async (stream: string) =>
    Object.fromEntries(
      (await warehouse.state.read({ sync: 'fake', stream })).watermarks.map(({ parent, watermark }) => [parent, watermark]),
    )

  it.each(['merge', 'append', 'replace_slice', 'history'] as const)(
    'are halved in whole days when they are too large, and nothing is doubled or lost: %s',
    async (mode) => {
      const { stream, held } = network(`large_${mode}`, mode)
      // Some pages are committed before the vendor says so.
      held.refuse = (slice, at) => (daysOf(slice) > 3 && at >= 2 ? 'too_large' : undefined)
      const run = { warehouse, stream, run: nextRun(), now, limits: { batchBytes: 1 } }
      const ended = await syncOnce(run)
      expect(ended).toMatchObject({ status: 'completed', loaded: 32, deadLetters: 0 })
      expect(ended.read).toBeGreaterThan(32)
      expect(balances(ended)).toBe(true)
      expect(await counted(stream.name)).toEqual([
        { account: '1', n: 16, clicks: 16 },
        { account: '2', n: 16, clicks: 16 },
      ])
      expect(await marks(stream.name)).toEqual({ 1: day(17), 2: day(17) })
      expect((await warehouse.state.read({ sync: 'fake', stream: stream.name })).checkpoints).toEqual([])
      expect((await db.query("SELECT 1 FROM pg_class WHERE relnamespace = '_weir_stage'::regnamespace AND relkind = 'r'")).rows).toEqual([])
    },
  )

  it('are halved once when the answer that says so is lost, and the watermark waits for both halves', async () => {
    const { stream, held } = network('lost', 'merge')
    held.refuse = (slice) => (daysOf(slice) > 10 ? 'too_large' : undefined)
    const run = { warehouse, stream, run: nextRun(), now }
    const { slices } = await plan(run)
    for (let i = 0; i < 2; i++) expect(await readSlice(run, slices[0]!.key)).toMatchObject({ halved: true })
    const again = await plan(run)
    expect(again.slices.map(({ label }) => label)).toEqual([
      '2 2026-05-01 to 2026-05-17',
      '1 2026-05-01 to 2026-05-09',
      '1 2026-05-09 to 2026-05-17',
    ])
    held.refuse = (slice) => (slice.from === day(9) ? 'transient' : daysOf(slice) > 10 ? 'too_large' : undefined)
    await expect(syncOnce(run)).rejects.toThrow('refused')
    await warehouse.streams.finish(
      { sync: 'fake', stream: 'lost', run: run.run },
      {
        table: { schema: 'fake', table: 'lost', key: ['id'], mode: 'merge', fields: {} },
        endedEarly: true,
        hold: () => undefined,
        status: () => ({ status: 'failed' }),
      },
    )
    expect(await marks('lost')).toEqual({ 1: day(9) })
    held.refuse = () => undefined
    expect(await syncOnce({ ...run, run: nextRun() })).toMatchObject({ status: 'completed' })
    expect(await marks('lost')).toEqual({ 1: day(17), 2: day(17) })
    expect(await counted('lost')).toEqual([
      { account: '1', n: 16, clicks: 16 },
      { account: '2', n: 16, clicks: 16 },
    ])
  })

  it.each(['merge', 'replace_slice'] as const)('are set aside when they are too large and cannot be cut: %s', async (mode) => {
    const { stream, held } = network(`small_${mode}`, mode)
    held.refuse = ({ parent, from }, at) =>
      parent === '1' && Date.parse(from!) + at * dayMs === Date.parse(day(5)) ? 'too_large' : undefined
    const ended = await syncOnce({ warehouse, stream, run: nextRun(), now, limits: { batchBytes: 1 } })
    expect(ended).toMatchObject({ status: 'completed_with_dead_letters' })
    expect(balances(ended)).toBe(true)
    expect((await counted(stream.name)).map(({ n }) => n)).toEqual([15, 16])
    expect(await letters(stream.name)).toMatchObject([
      { reason: 'too_large', status: 'open', message: expect.stringContaining('cannot be cut smaller') },
    ])
    expect(await marks(stream.name)).toEqual({ 1: day(17), 2: day(17) })
  })

  it.each(['merge', 'replace_slice'] as const)(
    'of an account that is closed to us leave the others alone, have one letter, and are read when access is given: %s',
    async (mode) => {
      const { stream, held } = network(`closed_${mode}`, mode, { days: 7 })
      held.refuse = ({ parent }, at) => (parent === '1' && at > 0 ? 'permission' : undefined)
      for (const [i, at] of [now, '2026-05-17T12:00:00.000Z', '2026-05-18T12:00:00.000Z'].entries()) {
        const ended = await syncOnce({ warehouse, stream, run: nextRun(), now: at, limits: { batchBytes: 1 } })
        expect(ended).toMatchObject({ status: 'completed_with_dead_letters' })
        expect(balances(ended)).toBe(true)
        expect(await marks(stream.name)).toEqual({ 2: day(17 + i) })
        expect((await counted(stream.name)).find(({ account }) => account === '2')).toMatchObject({ n: 16 + i })
      }
      expect(await letters(stream.name)).toMatchObject([
        { reason: 'permission', key: 'main/1', status: 'open', message: expect.stringContaining('Grant access to 1, or leave it out') },
      ])
      held.refuse = () => undefined
      held.clicks = 2
      const ended = await syncOnce({ warehouse, stream, run: nextRun(), now: '2026-05-19T12:00:00.000Z' })
      expect(ended).toMatchObject({ status: 'completed' })
      expect(await marks(stream.name)).toEqual({ 1: day(20), 2: day(20) })
      expect((await counted(stream.name))[0]).toEqual({ account: '1', n: 19, clicks: 38 })
      expect(await letters(stream.name)).toMatchObject([{ status: 'superseded' }])
    },
  )

  it.each(['auth', 'config'] as const)('stop the stream for %s', async (reason) => {
    const { stream, held } = network(`stops_${reason}`, 'merge')
    held.refuse = ({ parent }) => (parent === '1' ? reason : undefined)
    await expect(syncOnce({ warehouse, stream, run: nextRun(), now })).rejects.toMatchObject({ reason })
  })
})

describe('the halves of a slice', () => {
  const slice = (from: string, to: string) => ({ pass: 'main', parent: 'a', from, to })
  it('meet at a whole day or second', () => {
    expect(halvesOf(slice(day(1), day(4)), 'days', dayMs)).toEqual([slice(day(1), day(2)), slice(day(2), day(4))])
    const to = '2026-05-01T00:00:05.000Z'
    expect(halvesOf(slice(day(1), to), 'seconds', 0)?.[0].to).toBe('2026-05-01T00:00:02.000Z')
  })
  it('are none below the smallest, and none without a beginning', () => {
    expect(halvesOf(slice(day(1), day(2)), 'days', 0)).toBeUndefined()
    expect(halvesOf(slice(day(1), day(4)), 'days', 2 * dayMs)).toBeUndefined()
    expect(halvesOf({ pass: 'main', to: day(4) }, 'seconds', 0)).toBeUndefined()
  })
})
