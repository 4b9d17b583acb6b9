import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import type { Rec, Slice, Slicing } from '../../../src/core/types.js'
import { finishStream } from '../../../src/engine/finish-stream.js'
import { stateAfter } from '../../../src/state/diff.js'
import { documentOf, readDocument, statesOf } from '../../../src/state/document.js'
import { problemsOf, readingOf } from '../../../src/state/judge.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { newWatermarks } from '../../../src/warehouse/postgres/streams.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const day = (date: string) => `2026-${date}T00:00:00.000Z`
const noon = (date: string) => `2026-${date}T12:00:00.000Z`
type ByTime = Extract<Slicing, { by: 'time' }>

/** A report by account and day, as an ad network gives it. */
function report(name: string, more: Partial<ByTime> = {}) {
  const held = { accounts: ['1', '2'], rows: [] as Rec[], earliest: {} as Record<string, string>, read: [] as Slice[] }
  const slicing: ByTime = {
    by: 'time',
    wholeDays: true,
    days: 7,
    lookbackMs: 0,
    lagMs: 0,
    first: 'whole',
    earliest: (_, __, parent) => Promise.resolve(held.earliest[parent!]),
    async *parents() {
      yield* held.accounts
    },
    ...more,
  }
  const stream = fakeStream({
    name,
    mode: 'replace_slice',
    slicing,
    parentField: 'account',
    fields: { id: { type: 'text' }, account: { type: 'text' }, updated: { type: 'date' }, clicks: { type: 'bigint' } },
    pages: () => [held.rows],
    before: (_, { slice }) => {
      held.read.push(slice)
    },
  })
  return { stream, held, slicing }
}
const row = (account: string, updated: string, clicks: number): Rec => ({
  id: `${account} ${updated}`,
  account,
  updated: `2026-${updated}`,
  clicks,
})

describe.each(servers())('parents with ranges of their own, on PostgreSQL $name', ({ url }) => {
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
  const marks = async (stream: string) =>
    Object.fromEntries(
      (await warehouse.state.read({ sync: 'fake', stream })).watermarks.map(({ parent, watermark }) => [parent, watermark.slice(5, 10)]),
    )
  const rows = async (stream: string) =>
    (await db.query(`SELECT account, updated::text AS day, clicks::int FROM fake.${stream} ORDER BY 1, 2`)).rows.map((one) =>
      [one.account, one.day.slice(5), one.clicks].join(' '),
    )
  const ranges = (slices: readonly Slice[]) => slices.map(({ parent, from, to }) => `${parent} ${from?.slice(5)}..${to?.slice(5)}`)
  const midnight = 'T00:00:00.000Z'

  it('are read from their own first day to the end of today, in whole days, and each is complete up to its own watermark', async () => {
    const { stream, held } = report('first')
    held.earliest = { 1: noon('05-20') }
    held.rows = [row('1', '05-20', 1), row('1', '06-01', 2), row('2', '06-01', 3)]
    const run = { warehouse, stream, run: nextRun(), now: noon('06-01') }
    const { slices } = await plan(run)
    expect(slices.map(({ label }) => label)).toEqual([
      '1 2026-05-20 to 2026-05-27',
      '1 2026-05-27 to 2026-06-02',
      '2 2026-06-01 to 2026-06-02',
    ])
    expect(await syncOnce(run)).toMatchObject({ status: 'completed', read: 3, loaded: 3 })
    expect(await marks('first')).toEqual({ 1: '06-02', 2: '06-02' })
    expect(
      (await warehouse.state.history({ sync: 'fake', stream: 'first', limit: 9 })).map(({ parent, settled }) => [parent, settled]),
    ).toEqual([
      ['2', 1],
      ['1', 2],
    ])
  })

  it('read the days again that were not over when they were read, and the look-back, and replace what is restated of their own alone', async () => {
    const { stream, held } = report('again')
    held.earliest = { 1: day('05-31'), 2: day('05-31') }
    held.rows = [row('1', '05-31', 1), row('1', '06-01', 1), row('2', '05-31', 9), row('2', '06-01', 9)]
    await syncOnce({ warehouse, stream, run: nextRun(), now: noon('06-01') })
    held.read = []
    // Account 2 is silent: its days of the range are gone at the vendor, and only those.
    held.rows = [row('1', '06-01', 5), row('1', '06-02', 2)]
    await syncOnce({ warehouse, stream, run: nextRun(), now: '2026-06-02T00:30:00.000Z' })
    expect(ranges(held.read)).toEqual([`1 05-31${midnight}..06-03${midnight}`, `2 05-31${midnight}..06-03${midnight}`])
    expect(await rows('again')).toEqual(['1 06-01 5', '1 06-02 2'])
    held.read = []
    const definition = fakeDefinition({ streams: { again: { lookbackMs: 28 * 86_400_000, sliceDays: 40 } } })
    await syncOnce({ warehouse, stream, definition, run: nextRun(), now: noon('06-02') })
    expect(ranges(held.read)[0]).toBe(`1 05-05${midnight}..06-03${midnight}`)
  })

  it('that appear later are read from their start, and those that vanish keep their watermark and are read on from there', async () => {
    const { stream, held } = report('coming')
    const definition = fakeDefinition({ streams: { coming: { start: '2026-05-29T15:00:00Z' } } })
    held.accounts = ['1']
    await syncOnce({ warehouse, stream, definition, run: nextRun(), now: noon('06-01') })
    held.accounts = ['2']
    held.read = []
    expect(await syncOnce({ warehouse, stream, definition, run: nextRun(), now: noon('06-03') })).toMatchObject({ status: 'completed' })
    expect(ranges(held.read)).toEqual([`2 05-29${midnight}..06-04${midnight}`])
    expect(await marks('coming')).toEqual({ 1: '06-02', 2: '06-04' })
    held.accounts = ['1', '2']
    held.read = []
    await syncOnce({ warehouse, stream, definition, run: nextRun(), now: noon('06-04') })
    expect(ranges(held.read)[0]).toBe(`1 05-31${midnight}..06-05${midnight}`)
  })

  it('leave nothing behind that is read again when they vanish with a slice in work', async () => {
    const { stream, held } = report('gone')
    held.earliest = { 1: day('05-30'), 2: day('05-30') }
    const run = { warehouse, stream, run: nextRun(), now: noon('06-01') }
    const { slices } = await plan(run)
    await readSlice(run, slices[1]!.key)
    const failure = { reason: 'transient', message: 'no' }
    await finishStream({ warehouse, definition: fakeDefinition(), stream, run: run.run, failure })
    expect(await marks('gone')).toEqual({ 2: '06-02' })
    held.accounts = ['2']
    held.read = []
    await syncOnce({ warehouse, stream, run: nextRun(), now: noon('06-02') })
    expect(held.read.map(({ parent }) => parent)).toEqual(['2'])
    held.accounts = ['1', '2']
    held.read = []
    await syncOnce({ warehouse, stream, run: nextRun(), now: noon('06-03') })
    expect(ranges(held.read)[0]).toBe(`1 05-30${midnight}..06-04${midnight}`)
  })

  it('are planned, though one is closed to us: its slice of today says so, and all of it is read once it is open', async () => {
    const { stream, held, slicing } = report('closed')
    held.earliest = { 1: day('05-20'), 2: day('05-20') }
    let isClosed = true
    const earliest: ByTime['earliest'] = (http, from, parent) =>
      isClosed && parent === '1' ? Promise.reject(new Failure('permission', 'closed')) : slicing.earliest!(http, from, parent)
    const guarded = { ...stream, passes: [{ ...stream.passes[0], slicing: { ...slicing, earliest } }] as const }
    const labels = async () => {
      const run = { warehouse, stream: guarded, run: nextRun(), now: noon('05-21') }
      const { slices } = await plan(run)
      await finishStream({
        warehouse,
        definition: fakeDefinition(),
        stream: guarded,
        run: run.run,
        failure: new Failure('permission', 'closed'),
      })
      return slices.map(({ label }) => label)
    }
    expect(await labels()).toEqual(['1 2026-05-21 to 2026-05-22', '2 2026-05-20 to 2026-05-22'])
    isClosed = false
    expect(await labels()).toContain('1 2026-05-20 to 2026-05-22')
  })

  it('need a first day from somebody', async () => {
    const { stream, slicing } = report('nobody')
    const { earliest: _, ...without } = slicing
    const bare = { ...stream, passes: [{ ...stream.passes[0], slicing: without }] as const }
    await expect(plan({ warehouse, stream: bare, run: nextRun() })).rejects.toMatchObject({ reason: 'config', message: /start: -90d/ })
  })

  it('are exported, imported, rolled back and forgotten each for itself', async () => {
    const { stream, held } = report('moved')
    held.earliest = { 1: day('05-30'), 2: day('05-30') }
    const [first, second] = [nextRun(), nextRun()]
    await syncOnce({ warehouse, stream, run: first, now: noon('06-01') })
    await syncOnce({ warehouse, stream, run: second, now: noon('06-05') })
    const ref = { sync: 'fake', stream: 'moved' }
    const found = await warehouse.state.read(ref)
    const read = readDocument(JSON.stringify(documentOf(found, { project: 'p', sync: 'fake', now: new Date(noon('06-05')) })))
    if (!('document' in read)) return expect.fail(read.problems.join())
    const known = new Map([['moved', { passes: new Map([['main', readingOf(stream.passes[0].slicing)]]) }]])
    expect(problemsOf(statesOf(read.document), known, new Date(noon('06-05')))).toEqual([])

    const then = stateAfter(await warehouse.state.history({ ...ref, run: first, limit: 9 }), found.checkpoints)
    await warehouse.state.replace({ sync: 'fake', kind: 'rollback', run: first }, then)
    expect(await marks('moved')).toEqual({ 1: '06-02', 2: '06-02' })
    await warehouse.state.replace({ sync: 'fake', kind: 'import' }, statesOf(read.document))
    expect(await marks('moved')).toEqual({ 1: '06-06', 2: '06-06' })
    expect(await warehouse.state.reset(ref)).toBe(2)
    expect(await marks('moved')).toEqual({})
    expect((await warehouse.state.history({ ...ref, limit: 2 })).map(({ kind, parent, after }) => [kind, parent, after])).toEqual([
      ['reset', '2', undefined],
      ['reset', '1', undefined],
    ])
  })

  it('keep the entries of every recent change, however many they are', async () => {
    const { stream, held } = report('many')
    held.accounts = Array.from({ length: 600 }, (_, i) => String(i))
    const definition = fakeDefinition({ streams: { many: { start: '2026-06-01' } } })
    const drive = async (now: string) => {
      const run = nextRun()
      await plan({ warehouse, stream, definition, run, now })
      await db.query("UPDATE _weir.checkpoints SET state = 'finished' WHERE stream = 'many'")
      await finishStream({ warehouse, definition, stream, run })
      return run
    }
    const [first] = [await drive(noon('06-01')), await drive(noon('06-02')), await drive(noon('06-03'))]
    expect(await warehouse.state.history({ sync: 'fake', stream: 'many', run: first!, limit: 9_999 })).toHaveLength(600)
  })

  it('of a table that cannot tell whose rows they are replace nothing', async () => {
    const { stream } = report('untold')
    const bare = { ...stream, bounds: { range: 'updated' } }
    await expect(syncOnce({ warehouse, stream: bare, run: nextRun() })).rejects.toMatchObject({ reason: 'config' })
  })

  it('do not let a failure of one hold the watermark of another', async () => {
    const { stream, held } = report('apart')
    held.earliest = { 1: day('05-20'), 2: day('05-20') }
    const run = { warehouse, stream, run: nextRun(), now: noon('06-01') }
    const { slices } = await plan(run)
    for (const { key } of slices.slice(1)) await readSlice(run, key)
    await finishStream({ warehouse, definition: fakeDefinition(), stream, run: run.run, failure: new Failure('transient', 'lost') })
    expect(await marks('apart')).toEqual({ 2: '06-02' })
  })
})

describe('watermarks', () => {
  const slice = (from: string, to: string, isFinished = true, parent?: string) => ({
    slice: { pass: 'main', from: day(from), to: day(to), ...(parent ? { parent } : {}) },
    isFinished,
  })
  it('take the slice that reaches furthest, not the one that begins last', () => {
    expect(newWatermarks([slice('01-01', '01-20'), slice('01-05', '01-08')])).toEqual([{ pass: 'main', watermark: day('01-20') }])
  })
  it('stop before what is unfinished, in that line alone', () => {
    const slices = [slice('01-01', '01-02', true, 'a'), slice('01-02', '01-03', false, 'a'), slice('01-03', '01-04', true, 'a')]
    expect(newWatermarks([...slices, slice('01-01', '01-09', true, 'b')])).toEqual([
      { pass: 'main', parent: 'a', watermark: day('01-02') },
      { pass: 'main', parent: 'b', watermark: day('01-09') },
    ])
  })
})
