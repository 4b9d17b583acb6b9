import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import { nothingUsed } from '../../../src/core/receipt.js'
import type { Rec, SyncMode } from '../../../src/core/types.js'
import { finishStream } from '../../../src/engine/finish-stream.js'
import { diffStates, passesAfter, passesNow, stateAfter } from '../../../src/state/diff.js'
import { documentOf, statesOf } from '../../../src/state/document.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const day = (n: number) => new Date(Date.UTC(2026, 0, n)).toISOString()
const person = (id: number, updated = day(id)): Rec => ({ id: String(id), name: `name ${id}`, updated })
const people = (from: number, to: number): Rec[] => Array.from({ length: to - from }, (_, i) => person(from + i))

describe.each(servers())('the state of a stream on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let numbers = 0
  const next = (word: string) => `${word}${++numbers}`
  const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await db.query(sql)).rows

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  /** A stream of which the vendor holds what is put into `held`, and which reads a day a slice. */
  const shop = (mode: SyncMode = 'merge', before?: (from: string | undefined) => void) => {
    const name = next('s')
    const held: Rec[] = []
    const stream = fakeStream({
      name,
      mode,
      pages: () => [held],
      slicing: { by: 'time', days: 1, lookbackMs: 0, lagMs: 0, first: 'whole', earliest: async () => day(1) },
      before: (_, { slice }) => before?.(slice.from),
    })
    const ref = { sync: 'fake', stream: name }
    return {
      name,
      held,
      stream,
      ref,
      sync: (upTo: number) => syncOnce({ warehouse, stream, run: next('run-'), now: day(upTo) }),
      history: (limit = 100) => warehouse.state.history({ ...ref, limit }),
      rollback: async (run: string) => {
        const entries = (await warehouse.state.history({ ...ref, run, limit: 100 })).filter(({ kind }) => kind === 'run')
        const { checkpoints } = await warehouse.state.read(ref)
        await warehouse.state.replace({ sync: 'fake', kind: 'rollback', run, who: 'ann' }, stateAfter(entries, checkpoints))
      },
      exported: async () => documentOf(await warehouse.state.read(ref), { project: 'p', sync: 'fake', now: new Date() }),
    }
  }

  it('has an entry for each run: from where to where, slices and rows', async () => {
    const { held, sync, history } = shop()
    held.push(...people(1, 4))
    const first = await sync(4)
    held.push(...people(4, 6))
    const second = await sync(6)
    expect(await history()).toMatchObject([
      { kind: 'run', run: second.run, pass: 'main', before: day(4), after: day(6), settled: 2, leftOpen: 0, rowsWritten: 2 },
      { kind: 'run', run: first.run, pass: 'main', after: day(4), settled: 3, leftOpen: 0, rowsWritten: 3 },
    ])
    expect((await history())[1]!.before).toBeUndefined()
  })

  it('counts the rows of a snapshot, and what a repeated end says stands once', async () => {
    const { held, stream, history } = shop('replace')
    held.push(...people(1, 4))
    const drive = { warehouse, stream, run: next('run-'), now: day(4) }
    await syncOnce(drive)
    await finishStream({ warehouse, definition: fakeDefinition(), stream, run: drive.run })
    expect((await history()).map(({ rowsWritten }) => rowsWritten)).toEqual([3])
  })

  it('goes back to a run and reads again what came after it: nothing lost, nothing doubled', async () => {
    for (const mode of ['merge', 'append'] as const) {
      const { name, held, sync, rollback, ref } = shop(mode)
      held.push(...people(1, 4))
      const first = await sync(4)
      held.push(...people(4, 8))
      const second = await sync(8)
      const then = passesAfter(await warehouse.state.history({ ...ref, run: first.run, limit: 10 }))
      expect(diffStates(then, passesNow(await warehouse.state.read(ref)))).toEqual([
        { stream: name, pass: 'main', before: { watermark: day(4), open: 0 }, after: { watermark: day(8), open: 0 } },
      ])
      await rollback(first.run)
      expect(passesNow(await warehouse.state.read(ref))).toEqual(then)
      await db.query(`DELETE FROM fake.${name} WHERE id = '5'`)
      expect(await sync(9)).toMatchObject({ status: 'completed', read: 4, loaded: 1, unchanged: 3 })
      expect(await rows(`SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM fake.${name}`)).toEqual([{ n: 7, ids: 7 }])
      expect((await warehouse.state.history({ ...ref, limit: 10 })).map(({ kind, run, who }) => [kind, run, who])).toEqual([
        ['run', expect.any(String), undefined],
        ['rollback', first.run, 'ann'],
        ['run', second.run, undefined],
        ['run', first.run, undefined],
      ])
    }
  })

  it('goes back from slices that later runs left open, and plans their range anew', async () => {
    let broken = ''
    const { name, held, stream, sync, rollback, ref } = shop('merge', (from) => {
      if (from === broken) throw new Failure('transient', 'cut off')
    })
    held.push(...people(1, 3))
    const first = await sync(3)
    held.push(...people(3, 8))
    broken = day(5)
    const drive = { warehouse, stream, run: next('run-'), now: day(8) }
    for (const { key } of (await plan(drive)).slices) await readSlice(drive, key).catch(() => undefined)
    await finishStream({
      warehouse,
      definition: fakeDefinition(),
      stream,
      run: drive.run,
      failure: { reason: 'transient', message: 'cut off' },
    })
    const stands = await warehouse.state.read(ref)
    expect(stands.watermarks).toMatchObject([{ watermark: day(5) }])
    expect(stands.checkpoints.map(({ state }) => state)).toEqual(['open', 'finished', 'finished'])
    broken = ''
    await rollback(first.run)
    expect((await warehouse.state.read(ref)).checkpoints).toEqual([])
    expect(await sync(9)).toMatchObject({ status: 'completed', read: 5, loaded: 1, unchanged: 4 })
    expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 7 }])
  })

  it('keeps, when going back, an open slice that begins before the watermark and was open then', async () => {
    const { name, held, sync, stream, rollback, ref } = shop()
    held.push(...people(1, 4))
    await sync(4)
    const lookback = { slice: { pass: 'main', from: day(2), to: day(3) }, state: 'open' as const, position: { resume: { at: 1 } } }
    await warehouse.state.replace({ sync: 'fake', kind: 'import' }, [
      { stream: name, watermarks: [{ pass: 'main', watermark: day(4) }], slices: [lookback] },
    ])
    const run = next('run-')
    const cut = { reason: 'transient', message: 'cut off' }
    await finishStream({ warehouse, definition: fakeDefinition(), stream, run, failure: cut })
    await rollback(run)
    expect((await warehouse.state.read(ref)).checkpoints).toMatchObject([
      { slice: `main/${day(2)}..${day(3)}`, state: 'open', position: null },
    ])
    expect(await sync(5)).toMatchObject({ status: 'completed', read: 1, unchanged: 1 })
  })

  it('undoes a reset by going back to the newest run', async () => {
    const { held, sync, rollback, ref, history } = shop()
    held.push(...people(1, 4))
    const first = await sync(4)
    expect(await warehouse.state.reset({ ...ref, who: 'bob' })).toBe(1)
    expect((await history())[0]).toMatchObject({ kind: 'reset', who: 'bob', before: day(4) })
    await rollback(first.run)
    expect(await sync(5)).toMatchObject({ read: 0 })
  })

  it('is exported, reset and imported, and the next run reads only what is new', async () => {
    const { name, held, sync, exported, ref } = shop()
    const other = shop()
    other.held.push(...people(1, 3))
    await other.sync(3)
    held.push(...people(1, 4))
    await sync(4)
    const document = JSON.parse(JSON.stringify(await exported()))
    await warehouse.state.reset(ref)
    await warehouse.state.replace({ sync: 'fake', kind: 'import', who: 'ann' }, statesOf(document))
    expect(await exported()).toMatchObject({ streams: document.streams })
    held.push(...people(4, 6))
    expect(await sync(6)).toMatchObject({ status: 'completed', read: 2, loaded: 2 })
    expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 5 }])
    expect((await warehouse.state.read(other.ref)).watermarks).toMatchObject([{ watermark: day(3) }])
  })

  it('carries an interrupted slice over with its position', async () => {
    const name = next('s')
    let isBroken = true
    const held = people(1, 4)
    const stream = fakeStream({
      name,
      pages: () => held.map((one) => [one]),
      before: (page) => {
        if (page === 2 && isBroken) throw new Failure('transient', 'cut off')
      },
    })
    const drive = { warehouse, stream, run: next('run-'), now: day(9) }
    const { key } = (await plan(drive)).slices[0]!
    await expect(readSlice(drive, key)).rejects.toThrow('cut off')
    const ref = { sync: 'fake', stream: name }
    const document = documentOf(await warehouse.state.read(ref), { project: 'p', sync: 'fake', now: new Date() })
    expect(document.streams[name]!.slices).toMatchObject([{ pass: 'main', to: day(9), state: 'open', position: { resume: { at: 2 } } }])
    await warehouse.state.reset(ref)
    await warehouse.state.replace({ sync: 'fake', kind: 'import' }, statesOf(document))
    isBroken = false
    expect(await syncOnce({ warehouse, stream, run: next('run-'), now: day(9) })).toMatchObject({ status: 'completed', read: 1, loaded: 1 })
    expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 3 }])
  })

  it('fences an attempt that held a slice before an import, also when the slice is claimed again', async () => {
    const { name, held, stream, exported, ref } = shop()
    held.push(...people(1, 2))
    const drive = { warehouse, stream, run: next('run-'), now: day(2) }
    const { key } = (await plan(drive)).slices[0]!
    const claim = () => warehouse.slices.claim({ ...ref, run: drive.run, key, owner: 'test', attemptAt: new Date() })
    const spec = { schema: 'fake', table: name, key: ['id'], mode: 'merge', fields: stream.fields } as const
    const table = await warehouse.tables.open({ ...ref, run: drive.run }, spec, { adds: true })
    const commit = (held: Awaited<ReturnType<typeof claim>>) =>
      warehouse.slices.commit({
        claim: held,
        table,
        rows: 0,
        segments: [],
        hasDeletions: false,
        letters: [],
        read: 0,
        used: nothingUsed(),
        position: { reached: 'zombie' },
        isLast: true,
      })
    const zombie = await claim()
    const states = statesOf(await exported())
    for (const change of [
      () => warehouse.state.replace({ sync: 'fake', kind: 'import' }, states),
      async () => {
        await warehouse.state.reset(ref)
        await warehouse.state.replace({ sync: 'fake', kind: 'import' }, states)
      },
    ]) {
      await change()
      await expect(commit(zombie)).rejects.toMatchObject({ reason: 'fenced' })
      const heir = await claim()
      await expect(commit(zombie)).rejects.toMatchObject({ reason: 'fenced' })
      expect((await warehouse.state.read(ref)).checkpoints).toMatchObject([{ state: 'open', position: null }])
      expect(heir.epoch).toBeGreaterThan(zombie.epoch)
    }
    await warehouse.state.reset(ref)
    await expect(commit(zombie)).rejects.toMatchObject({ reason: 'fenced' })
    await expect(claim()).rejects.toMatchObject({ reason: 'fenced' })
  })

  it('fences an attempt of an earlier run whose slice has the same name in a later one', async () => {
    const name = next('s')
    const stream = fakeStream({ name, pages: () => [people(1, 2)], slicing: { by: 'all' } })
    const ref = { sync: 'fake', stream: name, key: 'main', owner: 'test', attemptAt: new Date() }
    const first = { warehouse, stream, run: next('run-') }
    await plan(first)
    const zombie = await warehouse.slices.claim({ ...ref, run: first.run })
    await readSlice(first, 'main')
    await finishStream({ warehouse, definition: fakeDefinition(), stream, run: first.run })
    const second = { ...first, run: next('run-') }
    await plan(second)
    await warehouse.slices.claim({ ...ref, run: second.run })
    await expect(
      warehouse.slices.setAside(zombie, { kind: 'slice', reason: 'permanent', message: 'late', payload: '{}' }, 'dead_letter'),
    ).rejects.toMatchObject({
      reason: 'fenced',
    })
  })

  it('is not planned from what stood before an import: a run that was just planning plans nothing', async () => {
    const { name, held, sync, stream, ref } = shop()
    held.push(...people(1, 8))
    await sync(8)
    const run = next('run-')
    await warehouse.runs.start({ run, sync: 'fake', definition: 'none', kind: 'manual' })
    // The run has read the watermark of day 8 and is about to write its plan.
    await warehouse.state.replace({ sync: 'fake', kind: 'import' }, [
      { stream: name, watermarks: [{ pass: 'main', watermark: day(3) }], slices: [] },
    ])
    const slices = [{ pass: 'main', from: day(8), to: day(9) }]
    await warehouse.planning.record({ ...ref, run }, { slices, forget: [], watermarks: [], reset: false })
    expect(await warehouse.planning.open({ ...ref, run }, 10)).toEqual([])
    const end = await finishStream({ warehouse, definition: fakeDefinition(), stream, run })
    expect(end).toMatchObject({ status: 'failed', failure: { reason: 'fenced' } })
    expect((await warehouse.state.read(ref)).watermarks).toMatchObject([{ watermark: day(3) }])
    expect(await sync(9)).toMatchObject({ read: 5, unchanged: 5 })
  })

  it('never lets a run whose plan was made void take what it gathered for the whole snapshot', async () => {
    const name = next('s')
    const stream = fakeStream({ name, mode: 'replace', pages: () => [people(1, 4)], slicing: { by: 'all' } })
    const ref = { sync: 'fake', stream: name }
    await syncOnce({ warehouse, stream, run: next('run-') })
    const planning = next('run-')
    await warehouse.runs.start({ run: planning, sync: 'fake', definition: 'none', kind: 'manual' })
    const reading = { warehouse, stream, run: next('run-') }
    await plan(reading)
    await warehouse.state.reset(ref)
    for (const run of [planning, reading.run]) {
      expect(await syncOnce({ warehouse, stream, run })).toMatchObject({ status: 'failed', failure: { reason: 'fenced' } })
      expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 3 }])
    }
    expect(await syncOnce({ warehouse, stream, run: next('run-') })).toMatchObject({ status: 'completed', read: 3, unchanged: 3 })
  })

  it('changes whole or not at all', async () => {
    const { name, held, sync, ref, history } = shop()
    held.push(...people(1, 4))
    await sync(4)
    const bad = { stream: next('s'), watermarks: [{ pass: 'main', watermark: 'no instant' }], slices: [] }
    const change = warehouse.state.replace({ sync: 'fake', kind: 'import' }, [{ stream: name, watermarks: [], slices: [] }, bad])
    await expect(change).rejects.toThrow('no instant')
    expect((await warehouse.state.read(ref)).watermarks).toMatchObject([{ watermark: day(4) }])
    expect(await history()).toHaveLength(1)
  })

  it('remembers a full run as what moved it, and a reset of slices that never came to a watermark', async () => {
    const { held, stream, sync, history, ref } = shop()
    held.push(...people(1, 4))
    await sync(4)
    await syncOnce({ warehouse, stream, run: next('run-'), now: day(5), full: true })
    expect((await history())[0]).toMatchObject({ before: day(4), after: day(5), settled: 4 })
    await warehouse.state.reset(ref)
    await plan({ warehouse, stream, run: next('run-'), now: day(5) })
    await warehouse.state.reset(ref)
    expect((await history()).map(({ kind }) => kind)).toEqual(['reset', 'reset', 'run', 'run'])
  })

  it('keeps the newest thousand entries a stream', async () => {
    const { name, held, sync, history, ref } = shop()
    const other = shop()
    held.push(...people(1, 2))
    await sync(2)
    await other.sync(2)
    await db.query(
      "INSERT INTO _weir.state_history (sync, stream, pass, kind, watermark_after, at) SELECT 'fake', $1, 'main', 'run', $2, now() + i * interval '1 millisecond' FROM generate_series(1, 1500) i",
      [name, day(2)],
    )
    const { run } = await sync(3)
    const kept = await history(5_000)
    expect(kept).toHaveLength(1_000)
    expect(kept[0]).toMatchObject({ run, before: day(2), after: day(3) })
    expect(await other.history()).toHaveLength(1)
    expect(await warehouse.state.history({ ...ref, limit: 3 })).toHaveLength(3)
  })
})
