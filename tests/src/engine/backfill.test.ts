import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import type { Rec, Slicing, SyncMode } from '../../../src/core/types.js'
import { finishStream } from '../../../src/engine/finish-stream.js'
import { replayLetters } from '../../../src/engine/replay.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { type Backfill, backfillOnce, beginBackfill, planOf, readBackfillSlice } from '../../support/backfill.js'
import { syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream, fixedClock } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

type Planned = { key: string; label: string }
const day = (date: string) => `2026-${date}T00:00:00.000Z`
const noon = (date: string) => `2026-${date}T12:00:00.000Z`
const byTime = (more: Partial<Extract<Slicing, { by: 'time' }>> = {}): Slicing => ({
  by: 'time',
  days: 7,
  lookbackMs: 0,
  lagMs: 0,
  first: 'whole',
  earliest: () => Promise.resolve(day('05-01')),
  ...more,
})

describe.each(servers())('a backfill beside the live sync, on PostgreSQL $name', ({ url }) => {
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

  /** A stream of people, the live sync's definition of it, and a backfill of May. */
  function world(name: string, mode: SyncMode, more: { slicing?: Slicing; deletedAt?: string } = {}) {
    const held = { rows: [] as Rec[], before: undefined as (() => Promise<unknown>) | undefined }
    const stream = fakeStream({
      name,
      mode,
      slicing: more.slicing ?? byTime(),
      ...(more.deletedAt ? { deletedAt: more.deletedAt } : {}),
      fields: {
        id: { type: 'text' },
        name: { type: 'text' },
        updated: { type: 'timestamp' },
        ...(more.deletedAt ? { [more.deletedAt]: { type: 'timestamp' } as const } : {}),
      },
      pages: () => [held.rows],
      before: async () => {
        await held.before?.()
      },
    })
    const live = (now: string) => syncOnce({ warehouse, stream, run: nextRun(), now })
    const may = (id = name): Backfill => ({ warehouse, stream, id, run: nextRun(), from: day('05-01'), to: day('06-01') })
    return { held, stream, live, may }
  }
  const rows = async (table: string, columns = 'id, name') =>
    (await db.query(`SELECT ${columns} FROM fake.${table} ORDER BY id, _weir_loaded_at`)).rows.map((row) => Object.values(row).join(' '))
  const stateOf = async (stream: string) => {
    const { watermarks, checkpoints } = await warehouse.state.read({ sync: 'fake', stream })
    return { watermarks, checkpoints, history: await warehouse.state.history({ sync: 'fake', stream, limit: 100 }) }
  }
  const at = (id: string, name: string, updated: string): Rec => ({ id, name, updated })

  it('reads the range in slices of its own, counts every record, and leaves watermarks and checkpoints of the live sync as they are', async () => {
    const { held, live, may } = world('ranges', 'merge')
    held.rows = [at('1', 'a', noon('06-10'))]
    await live(day('06-11'))
    const before = await stateOf('ranges')
    held.rows.push(at('2', 'b', noon('05-03')), at('3', 'c', noon('05-30')), at('4', 'd', noon('04-20')))
    const { row, detail } = await backfillOnce(may())
    expect(row).toMatchObject({ status: 'completed', read: 2, loaded: 2, unchanged: 0, deadLetters: 0 })
    expect(detail).toMatchObject({ status: 'completed', read: 2, loaded: 2, slices: { total: 5, done: 5, failed: 0 }, createdBy: 'test' })
    expect(await rows('ranges')).toEqual(['1 a', '2 b', '3 c'])
    expect(await stateOf('ranges')).toEqual(before)
    const { rows: slices } = await db.query(
      `SELECT range_from, range_to, state FROM _weir.backfill_slices WHERE backfill = 'ranges' ORDER BY ordinal`,
    )
    expect(slices.map(({ range_from, range_to }) => `${range_from.slice(5, 10)}..${range_to.slice(5, 10)}`)).toEqual([
      '05-01..05-08',
      '05-08..05-15',
      '05-15..05-22',
      '05-22..05-29',
      '05-29..06-01',
    ])
  })

  it('is a run of its own kind, that is no live run of its stream', async () => {
    const { rows: kinds } = await db.query(`SELECT run_id, kind, backfill, status FROM _weir.runs WHERE backfill = 'ranges'`)
    expect(kinds).toEqual([{ run_id: expect.any(String), kind: 'backfill', backfill: 'ranges', status: 'completed' }])
    const [latest] = (await warehouse.reports.statuses()).filter(({ stream }) => stream === 'ranges')
    expect(latest!.run).not.toBe(kinds[0].run_id)
    expect(latest).toMatchObject({ read: 1 })
  })

  it.each(['merge', 'append', 'history', 'replace_slice'] as const)('asked for again changes nothing in mode %s', async (mode) => {
    const { held, live, may } = world(`again_${mode}`, mode)
    held.rows = [at('1', 'a', noon('05-03')), at('2', 'b', noon('05-30')), at('3', 'c', noon('06-10'))]
    await live(day('06-11'))
    const snapshot = () => db.query(`SELECT t.*, t.xmin::text FROM fake.again_${mode} t ORDER BY id`).then((found) => found.rows)
    const before = await snapshot()
    for (const id of ['first', 'second'])
      expect((await backfillOnce(may(`${mode}-${id}`))).row).toMatchObject({
        status: 'completed',
        read: 2,
        loaded: 0,
        unchanged: 2,
        deleted: 0,
      })
    expect(await snapshot()).toEqual(before)
  })

  it('writes nothing over a row that is newer, and brings no deleted one back with the version that was deleted', async () => {
    const { held, live, may } = world('deleted', 'merge', { deletedAt: 'gone' })
    held.rows = [at('1', 'old', noon('05-03')), at('2', 'kept', noon('05-04'))]
    await live(day('06-01'))
    held.rows = [{ id: '1', name: 'old', updated: noon('05-03'), gone: noon('06-02') }, at('2', 'new', noon('06-02'))]
    await db.query(`UPDATE _weir.watermarks SET watermark = '2026-05-01' WHERE stream = 'deleted'`)
    await live(day('06-03'))
    expect(await rows('deleted', 'id, name, _weir_deleted_at IS NOT NULL')).toEqual(['1 old true', '2 new false'])
    // The vendor still gives what it has deleted, as it was: an index that lags behind.
    held.rows = [at('1', 'old', noon('05-03')), at('2', 'kept', noon('05-04'))]
    expect((await backfillOnce(may())).row).toMatchObject({ read: 2, loaded: 0, unchanged: 2 })
    expect(await rows('deleted', 'id, name, _weir_deleted_at IS NOT NULL')).toEqual(['1 old true', '2 new false'])
    held.rows = [at('1', 'back', noon('05-20'))]
    await backfillOnce(may('deleted-2'))
    expect(await rows('deleted', 'id, _weir_deleted_at IS NOT NULL')).toEqual(['1 true', '2 false'])
  })

  it.each(['merge', 'append', 'history'] as const)('takes absence for no deletion in mode %s', async (mode) => {
    const { held, live, may } = world(`absent_${mode}`, mode)
    held.rows = [at('1', 'a', noon('05-03')), at('2', 'b', noon('05-04'))]
    await live(day('06-01'))
    held.rows = [at('2', 'b', noon('05-04'))]
    expect((await backfillOnce(may(`absent-${mode}`))).row).toMatchObject({ read: 1, loaded: 0, deleted: 0 })
    expect(await rows(`absent_${mode}`)).toEqual(['1 a', '2 b'])
  })

  it('gives way to what the live sync wrote while it read, where its version is no newer: a change that did not move the cursor', async () => {
    const { held, live, stream, may } = world('race', 'merge')
    held.rows = [at('1', 'subscribed', noon('05-03')), at('2', 'x', noon('05-04'))]
    await live(day('06-01'))
    const backfill = may()
    await beginBackfill(backfill)
    const [{ key }] = (await planOf(backfill)).slices as [Planned]
    // Between the claim of the slice and its commit the live sync reads a later state of the same age.
    const stale = held.rows.map((row) => ({ ...row, name: row.id === '1' ? 'stale' : 'newer' })) as Rec[]
    stale[1]!.updated = noon('05-05')
    const read = { ...backfill, stream: { ...stream, passes: [{ ...stream.passes[0], read: lateRead }] as const } }
    async function* lateRead() {
      held.rows = [at('1', 'unsubscribed', noon('05-03')), at('2', 'y', noon('05-04'))]
      await db.query(`UPDATE _weir.watermarks SET watermark = '2026-05-01' WHERE stream = 'race'`)
      await live(day('06-02'))
      yield { records: stale }
    }
    expect(await readBackfillSlice(read, key)).toMatchObject({ counts: { read: 2, loaded: 1, unchanged: 1 } })
    expect(await rows('race')).toEqual(['1 unsubscribed', '2 newer'])
  })

  it('fits late versions into the history, behind what the live sync saw later', async () => {
    const { held, live, may } = world('versions', 'history')
    held.rows = [at('1', 'now', noon('06-05'))]
    await live(day('06-06'))
    held.rows = [at('1', 'then', noon('05-05'))]
    await backfillOnce(may())
    expect(
      await rows('versions', `name, _weir_valid_from::date::text, coalesce(_weir_valid_to::date::text, '-'), _weir_is_current`),
    ).toEqual(['now 2026-06-05 - true', 'then 2026-05-05 2026-06-05 false'])
  })

  describe('in mode replace_slice', () => {
    it('takes what is gone upstream away within its range, and nowhere else', async () => {
      const { held, live, may } = world('gone', 'replace_slice')
      held.rows = [at('1', 'a', noon('05-03')), at('2', 'b', noon('05-04')), at('3', 'c', noon('06-02'))]
      await live(day('06-03'))
      held.rows = [at('1', 'restated', noon('05-03'))]
      expect((await backfillOnce(may())).row).toMatchObject({ read: 1, loaded: 1, deleted: 1 })
      expect(await rows('gone')).toEqual(['1 restated', '3 c'])
    })

    it('leaves the days to the live sync that it replaced while a slice gathered them, and replaces the others', async () => {
      const { held, stream, live, may } = world('overlap', 'replace_slice')
      held.rows = [at('1', 'a', noon('05-29')), at('2', 'b', noon('05-30')), at('3', 'c', noon('05-31'))]
      await live(day('06-01'))
      const backfill = { ...may(), from: day('05-29'), sliceDays: 3 }
      await beginBackfill(backfill)
      const [{ key }] = (await planOf(backfill)).slices as [Planned]
      async function* read() {
        // What the backfill has read is overtaken for the last day: there a row changed, one came and one went.
        held.rows = [at('4', 'new', noon('05-31')), at('3', 'later', noon('05-31'))]
        await db.query(`UPDATE _weir.watermarks SET watermark = '2026-05-31' WHERE stream = 'overlap'`)
        await live(day('06-02'))
        yield { records: [at('1', 'restated', noon('05-29')), at('3', 'c', noon('05-31')), at('5', 'gone meanwhile', noon('05-31'))] }
      }
      const slow = { ...backfill, stream: { ...stream, passes: [{ ...stream.passes[0], read }] as const } }
      expect(await readBackfillSlice(slow, key)).toMatchObject({ counts: { read: 3, loaded: 1, unchanged: 2, deleted: 1 } })
      expect(await rows('overlap')).toEqual(['1 restated', '3 later', '4 new'])
      expect((await db.query('SELECT 1 FROM _weir.backfill_overtaken')).rowCount).toBe(0)
    })

    it('gathers apart from a live run that plans, sweeps and replaces the same days', async () => {
      const { held, live, may } = world('apart', 'replace_slice')
      held.rows = [at('1', 'a', noon('05-03'))]
      await live(day('06-01'))
      const { row } = await backfillOnce(may(), async () => {
        await db.query(`UPDATE _weir.watermarks SET watermark = '2026-05-01' WHERE stream = 'apart'`)
        await live(day('06-01'))
      })
      expect(row).toMatchObject({ status: 'completed', read: 1 })
      expect(await rows('apart')).toEqual(['1 a'])
      const { rows: stages } = await db.query(`SELECT tablename FROM pg_tables WHERE schemaname = '_weir_stage'`)
      expect(stages).toEqual([])
    })
  })

  it('refuses a stream that takes no range, and names what reads it instead', async () => {
    const whole = world('whole', 'replace')
    await expect(planOf(whole.may())).rejects.toThrow(/is replaced as a whole.*weir sync fake --stream whole --full/)
    const all = world('all', 'merge', { slicing: { by: 'all' } })
    await expect(planOf(all.may())).rejects.toThrow(/cannot be asked for a range of time.*--full/)
  })

  it('runs no pass that sees deletions by reading everything, and none that the user left out', async () => {
    const { stream, may } = world('passes', 'merge')
    const seen = (name: string, slicing: Slicing) => ({ ...stream.passes[0], name, seesDeletions: true, slicing })
    const read = { ...stream, passes: [stream.passes[0], seen('archived', { by: 'all' }), seen('purged', byTime())] as const }
    const passesOf = async (id: string, definition = fakeDefinition()) => {
      const backfill = { ...may(id), stream: read, definition }
      await beginBackfill(backfill)
      return [...new Set((await planOf(backfill)).slices.map(({ label }) => label.split(' ')[0]))]
    }
    expect(await passesOf('passes-1')).toEqual(['2026-05-01', '2026-05-08', '2026-05-15', '2026-05-22', '2026-05-29', 'purged'])
    await warehouse.backfills.finish('passes-1', 'cancelled')
    const off = fakeDefinition({ streams: { passes: { deletions: 'off' } } })
    expect(await passesOf('passes-2', off)).not.toContain('purged')
  })

  it('gives each ad account slices of its own, in whole days', async () => {
    const accounts = byTime({
      wholeDays: true,
      async *parents() {
        yield* ['1', '2']
      },
    })
    const { may } = world('accounts', 'replace_slice', { slicing: accounts })
    const backfill = { ...may(), from: noon('05-20'), to: noon('05-30') }
    await beginBackfill(backfill)
    expect((await planOf(backfill)).slices.map(({ label }) => label)).toEqual([
      '1 2026-05-20 to 2026-05-27',
      '1 2026-05-27 to 2026-05-31',
      '2 2026-05-20 to 2026-05-27',
      '2 2026-05-27 to 2026-05-31',
    ])
  })

  it('keeps what it cannot load as dead letters, and a slice that is closed to it is read when it is resumed', async () => {
    const { held, stream, may } = world('letters', 'merge')
    held.rows = [at('1', 'a', noon('05-03')), { name: 'no key', updated: noon('05-04') }]
    let isClosed = true
    const guarded = {
      ...stream,
      passes: [
        {
          ...stream.passes[0],
          read: (context: Parameters<(typeof stream.passes)[0]['read']>[0]) => {
            if (isClosed && context.slice.from === day('05-08')) throw new Failure('permanent', 'The vendor refuses this week.')
            return stream.passes[0].read(context)
          },
        },
      ] as const,
    }
    const first = await backfillOnce({ ...may(), stream: guarded })
    expect(first.row).toMatchObject({ status: 'completed_with_dead_letters', read: 2, loaded: 1, deadLetters: 1 })
    expect(first.detail).toMatchObject({ slices: { total: 5, done: 4, failed: 1 } })
    expect((await warehouse.letters.list({ stream: 'letters', status: 'open' }, 9)).map(({ kind, run }) => [kind, run]).sort()).toEqual([
      ['record', first.row.run],
      ['slice', first.row.run],
    ])
    isClosed = false
    // A replay opens it for the backfill, not for the live sync, which knows nothing of this range.
    await replayLetters({
      warehouse,
      clock: fixedClock(),
      definition: fakeDefinition(),
      stream: guarded,
      run: nextRun(),
      filter: { kind: 'slice' },
      signal: new AbortController().signal,
      onProgress: () => {},
    })
    expect((await stateOf('letters')).checkpoints).toEqual([])
    expect((await warehouse.backfills.get('letters'))!.perStream[0]).toMatchObject({ total: 5, done: 4, failed: 0 })
    const second = await backfillOnce({ ...may(), stream: guarded })
    expect(second.row).toMatchObject({ status: 'completed', read: 0 })
    expect(second.detail).toMatchObject({ slices: { total: 5, done: 5, failed: 0 }, read: 2, loaded: 1, deadLetters: 1 })
    expect((await warehouse.letters.list({ stream: 'letters', status: 'open' }, 9)).map(({ kind }) => kind)).toEqual(['record'])
  })

  it('goes on after its end where it was: what is done is not read again', async () => {
    const { held, may } = world('resumed', 'merge')
    held.rows = [at('1', 'a', noon('05-03')), at('2', 'b', noon('05-30'))]
    const first = may()
    await beginBackfill(first)
    const { slices } = await planOf(first)
    await readBackfillSlice(first, slices[0]!.key)
    const ended = await finishStream({
      warehouse,
      definition: fakeDefinition(),
      stream: first.stream,
      run: first.run,
      backfill: first.id,
      cancelled: true,
    })
    expect(ended).toMatchObject({ status: 'cancelled', read: 1, loaded: 1 })
    await warehouse.backfills.finish(first.id, 'cancelled')
    const read: string[] = []
    const { row, detail } = await backfillOnce(may(), async (key) => read.push(key))
    expect(read).toEqual(slices.slice(1).map(({ key }) => key))
    expect(row).toMatchObject({ status: 'completed', read: 1, loaded: 1 })
    expect(detail).toMatchObject({ status: 'completed', read: 2, loaded: 2, slices: { total: 5, done: 5 } })
  })

  it('goes on where its workflow was lost, and ends the run that nobody works on any more', async () => {
    const { held, may } = world('lost', 'merge')
    held.rows = [at('1', 'a', noon('05-03')), at('2', 'b', noon('05-30'))]
    const first = may()
    await beginBackfill(first)
    await readBackfillSlice(first, (await planOf(first)).slices[0]!.key)
    const { row, detail } = await backfillOnce(may())
    expect(row).toMatchObject({ status: 'completed', read: 1, loaded: 1 })
    expect(detail).toMatchObject({ status: 'completed', read: 2, loaded: 2, slices: { total: 5, done: 5 } })
    const [lost] = (await warehouse.runs.list({ sync: 'fake', limit: 100 })).filter(({ run }) => run === first.run)
    expect(lost).toMatchObject({ status: 'failed', read: 1, loaded: 1, backfill: 'lost', failure: { reason: 'transient' } })
    expect(await warehouse.runs.streams(first.run)).toMatchObject([{ status: 'failed', read: 1, loaded: 1 }])
  })

  it('lets no attempt commit that was overtaken by a newer one, or by the end of its run', async () => {
    const { held, stream, may } = world('fenced', 'merge')
    const backfill = may()
    await beginBackfill(backfill)
    const [one, two] = (await planOf(backfill)).slices as [Planned, Planned]
    const late = (meanwhile: () => Promise<unknown>) => ({
      ...backfill,
      stream: {
        ...stream,
        passes: [
          {
            ...stream.passes[0],
            async *read() {
              await meanwhile()
              yield { records: [at('z', 'zombie', noon('05-03'))] }
            },
          },
        ] as const,
      },
    })
    held.rows = [at('1', 'a', noon('05-03'))]
    await expect(
      readBackfillSlice(
        late(() => readBackfillSlice(backfill, one.key)),
        one.key,
      ),
    ).rejects.toMatchObject({ reason: 'fenced' })
    const end = () =>
      finishStream({ warehouse, definition: fakeDefinition(), stream, run: backfill.run, backfill: backfill.id, cancelled: true })
    await expect(readBackfillSlice(late(end), two.key)).rejects.toMatchObject({ reason: 'fenced' })
    expect(await rows('fenced')).toEqual(['1 a'])
  })

  it('is not begun while another one reads some of the same', async () => {
    const { may } = world('twice', 'merge')
    await beginBackfill(may('one'))
    await expect(beginBackfill(may('two'))).rejects.toThrow(/Backfill one of fake is under way.*weir backfill cancel one/)
    await beginBackfill({ ...may('three'), from: day('06-01'), to: day('06-02') })
    await warehouse.backfills.finish('one', 'cancelled')
    await beginBackfill(may('two'))
  })

  it('is not touched by a reset of the live state, which forgets nothing of it', async () => {
    const { held, live, may } = world('reset', 'merge')
    held.rows = [at('1', 'a', noon('05-03')), at('2', 'b', noon('06-02'))]
    await live(day('06-03'))
    let resets = 0
    const { row } = await backfillOnce(may(), async () => {
      if (resets++ === 2) await warehouse.state.reset({ sync: 'fake', stream: 'reset' })
    })
    expect(row).toMatchObject({ status: 'completed', read: 1 })
    expect((await stateOf('reset')).watermarks).toEqual([])
    expect(await live(day('06-03'))).toMatchObject({ status: 'completed', read: 2 })
  })

  it.each([
    ['history', 'between slices'],
    ['append', 'in the middle of one'],
  ] as const)('ends with a word to the user when the table is switched to %s %s', async (mode, when) => {
    const name = `switched_${mode}`
    const { held, live, stream, may } = world(name, 'merge')
    held.rows = [at('1', 'a', noon('05-03'))]
    await live(day('06-03'))
    const definition = fakeDefinition({ streams: { [name]: { mode } } })
    const switchNow = () => syncOnce({ warehouse, stream, definition, run: nextRun(), now: day('06-03'), accept: ['mode'] })
    const backfill = may()
    await beginBackfill(backfill)
    const [{ key }] = (await planOf(backfill)).slices as [Planned]
    if (when === 'between slices') await switchNow()
    else
      held.before = async () => {
        held.before = undefined
        await switchNow()
      }
    await expect(readBackfillSlice(backfill, key)).rejects.toThrow(/kept in mode.*switched since backfill.*start another one/)
    expect(await rows(name)).toEqual(['1 a'])
  })

  it('loads by the columns that the live sync added meanwhile', async () => {
    const { held, live, may } = world('evolved', 'merge')
    held.rows = [at('1', 'a', noon('05-03'))]
    await live(day('06-03'))
    let slices = 0
    await backfillOnce(may(), async () => {
      if (slices++ !== 1) return
      held.rows = [
        at('1', 'a', noon('05-03')),
        { ...at('2', 'b', noon('06-02')), city: 'Ulm' },
        { ...at('3', 'c', noon('05-30')), city: 'Bonn' },
      ]
      await db.query(`UPDATE _weir.watermarks SET watermark = '2026-06-01' WHERE stream = 'evolved'`)
      await live(day('06-03'))
    })
    expect(await rows('evolved', 'id, city')).toEqual(['1 ', '2 Ulm', '3 Bonn'])
  })

  it('fills a column that was approved while it read, at its end', async () => {
    const { held, live, may, stream } = world('approved', 'merge')
    const definition = fakeDefinition({ streams: { approved: { onSchemaChange: 'approve' } } })
    held.rows = [at('1', 'a', noon('05-03'))]
    await live(day('06-03'))
    held.rows = [
      { ...at('2', 'b', noon('05-03')), city: 'Ulm' },
      { ...at('3', 'c', noon('05-30')), city: 'Bonn' },
    ]
    let slices = 0
    const backfill = { ...may(), definition }
    await backfillOnce(backfill, async () => {
      if (slices++ !== 1) return
      const [change] = await warehouse.changes.list({ sync: 'fake', stream: 'approved', status: ['pending'] })
      await warehouse.changes.decide(change!.id, 'approved', 'test')
      expect(await warehouse.changes.isBusy({ sync: 'fake', stream: 'approved' })).toBe(false)
      const ref = { sync: 'fake', stream: 'approved', run: nextRun() }
      const table = await warehouse.tables.open(
        ref,
        { schema: 'fake', table: 'approved', key: stream.key, mode: 'merge', fields: stream.fields },
        { adds: false },
      )
      await warehouse.tables.addColumns(ref, table, new Map([['city', { field: 'city', type: 'text' }]]))
    })
    expect(await rows('approved', 'id, city')).toEqual(['1 ', '2 Ulm', '3 Bonn'])
  })

  it('tells how far it is and when it will be done; a pause does not count', async () => {
    const { held, may } = world('pace', 'merge')
    held.rows = [at('1', 'a', noon('05-03'))]
    const backfill = may()
    await beginBackfill(backfill)
    const { slices } = await planOf(backfill)
    expect(await warehouse.backfills.get(backfill.id)).toMatchObject({ status: 'running', slices: { total: 5, done: 0 } })
    expect((await warehouse.backfills.get(backfill.id))!.endsAt).toBeUndefined()
    await readBackfillSlice(backfill, slices[0]!.key)
    // It began a hundred minutes ago, of which it was paused for fifty.
    await db.query(`UPDATE _weir.backfills SET created_at = now() - interval '100 min' WHERE id = 'pace'`)
    await warehouse.backfills.mark(backfill.id, 'paused')
    expect(await warehouse.backfills.get(backfill.id)).toMatchObject({ status: 'paused' })
    expect((await warehouse.backfills.get(backfill.id))!.endsAt).toBeUndefined()
    await db.query(`UPDATE _weir.backfills SET paused_at = now() - interval '50 min' WHERE id = 'pace'`)
    await warehouse.backfills.mark(backfill.id, 'running')
    const { endsAt, read } = (await warehouse.backfills.get(backfill.id))!
    expect(read).toBe(1)
    const { rows: clock } = await db.query<{ now: Date }>('SELECT now() AS now')
    expect((Date.parse(endsAt!) - clock[0]!.now.getTime()) / 60_000).toBeCloseTo(200, 0)
    expect((await warehouse.reports.streams(backfill.run))[0]).toMatchObject({ stream: 'pace', read: 1, loaded: 1 })
    await db.query(`UPDATE _weir.backfills SET created_at = now() WHERE id = 'pace'`)
    expect((await warehouse.backfills.list({ sync: 'fake', limit: 1 }))[0]).toMatchObject({
      id: 'pace',
      read: 1,
      slices: { total: 5, done: 1 },
    })
  })
})
