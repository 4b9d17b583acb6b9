import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import type { Rec, Stream, SyncMode } from '../../../src/core/types.js'
import { syncOnce } from '../../support/engine.js'
import { fakeStream } from '../../support/fake-source.js'
import { type LetterBase, letterBase, person, replayOnce, replayPart, withoutCursor } from '../../support/letters.js'
import { servers } from '../../support/postgres.js'

describe.each(servers())('replay of dead letters on PostgreSQL $name', ({ url }) => {
  let base: LetterBase
  let names = 0
  let runs = 0
  const nextRun = () => `run-${++runs}`

  beforeAll(async () => {
    base = await letterBase(url)
  })
  afterAll(() => base.close())

  /** A stream whose records named "refused…" the database does not take until `mend`. */
  async function refusing(records: Rec[], { mode = 'merge' as SyncMode, hasCursor = true } = {}) {
    const { warehouse, rows } = base
    const name = `s${++names}`
    const fake = fakeStream({ name, mode, pages: () => [records] })
    const stream = hasCursor ? fake : withoutCursor(fake)
    const empty = fakeStream({ name, mode, pages: () => [] })
    await syncOnce({ warehouse, stream: hasCursor ? empty : withoutCursor(empty), run: nextRun() })
    await rows(`ALTER TABLE fake.${name} ADD CONSTRAINT wanted CHECK (name NOT LIKE 'refused%')`)
    await syncOnce({ warehouse, stream, run: nextRun(), full: true })
    return {
      stream,
      table: `fake.${name}`,
      mend: () => rows(`ALTER TABLE fake.${name} DROP CONSTRAINT wanted`),
      replay: (more: Partial<Parameters<typeof replayOnce>[0]> = {}) => replayOnce({ warehouse, stream, run: nextRun(), ...more }),
      table_: () => rows(`SELECT id, name FROM fake.${name} ORDER BY id, name`),
      letters: () => rows(`SELECT record_key AS key, status, attempts FROM _weir.dead_letters WHERE stream = '${name}' ORDER BY id`),
    }
  }
  const bad = (id: number, more: Rec = {}) => person(id, { name: `refused ${id}`, ...more })

  it('loads what is mended, closes each letter, and is listed as a run whose rows can be traced', async () => {
    const { stream, table, mend, replay, letters } = await refusing([person(1), bad(2), bad(3)])
    await mend()
    const run = nextRun()
    const { report, ...receipt } = await replay({ run })
    expect(receipt).toEqual({ loaded: 2, unchanged: 0, failed: 0, reopened: 0, readAgain: false })
    expect(report.letters.map(({ key, outcome }) => [key, outcome])).toEqual([
      ['2', 'loaded'],
      ['3', 'loaded'],
    ])
    expect(await base.rows(`SELECT id, _weir_run_id AS run FROM ${table} WHERE name LIKE 'refused%' ORDER BY id`)).toEqual([
      { id: '2', run },
      { id: '3', run },
    ])
    expect((await letters()).map(({ status }) => status)).toEqual(['replayed', 'replayed'])
    const [listed] = (await base.warehouse.runs.list({ limit: 100 })).filter((one) => one.run === run)
    expect(listed).toMatchObject({ kind: 'replay', status: 'completed', read: 2, loaded: 2 })
    expect(stream.name).toBeTruthy()
  })

  it('never overwrites a row that was loaded since, unless its own cursor is newer', async () => {
    const { table, mend, replay, table_, letters } = await refusing([
      bad(1, { updated: '2026-02-01T00:00:00Z' }),
      bad(2, { updated: '2026-02-01T00:00:00Z' }),
      bad(3, { updated: '2026-02-01T00:00:00Z' }),
      bad(4, { updated: '2026-02-01T00:00:00Z' }),
    ])
    await mend()
    // As another sync or a hand would: Weir's own loading would have closed the letters.
    const since = ['1', '2026-03-01'] as const
    for (const [id, updated] of [since, ['2', '2026-02-01'], ['3', '2026-01-01']])
      await base.rows(`INSERT INTO ${table} (id, name, updated, _weir_run_id, _weir_loaded_at) VALUES ($1, 'since', $2, 'hand', now())`, [
        id,
        updated,
      ])
    const { report } = await replay()
    expect(report.letters.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged', 'loaded', 'loaded'])
    expect((await table_()).map(({ name }) => name)).toEqual(['since', 'since', 'refused 3', 'refused 4'])
    expect((await letters()).map(({ status }) => status)).toEqual(['superseded', 'superseded', 'replayed', 'replayed'])
  })

  it('tells row by row what was loaded and what stood already, and counts a deletion as a version', async () => {
    const { warehouse, rows } = base
    const name = `s${++names}`
    const fields = {
      id: { type: 'text' },
      name: { type: 'text' },
      updated: { type: 'timestamp' },
      archivedAt: { type: 'timestamp' },
    } as const
    let records: Rec[] = [1, 2, 3, 4].map((id) => person(id))
    const stream = fakeStream({ name, fields, deletedAt: 'archivedAt', pages: () => [records] })
    await syncOnce({ warehouse, stream, run: nextRun() })
    await rows(`ALTER TABLE fake.${name} ADD CONSTRAINT closed CHECK (false) NOT VALID`)
    // The same again; changed; deleted; changed, but overtaken by hand.
    records = [person(1), person(2, { name: 'changed' }), person(3, { archivedAt: '2026-04-01T00:00:00Z' }), person(4, { name: 'late' })]
    await syncOnce({ warehouse, stream, run: nextRun(), full: true })
    await rows(`ALTER TABLE fake.${name} DROP CONSTRAINT closed`)
    await rows(`UPDATE fake.${name} SET _weir_loaded_at = now(), updated = '2026-03-01' WHERE id IN ('3', '4')`)
    const { report } = await replayOnce({ warehouse, stream, run: nextRun() })
    expect(report.letters.map(({ key, outcome }) => [key, outcome])).toEqual([
      ['1', 'unchanged'],
      ['2', 'loaded'],
      ['3', 'loaded'],
      ['4', 'unchanged'],
    ])
    expect(await rows(`SELECT name, _weir_deleted_at IS NOT NULL AS gone FROM fake.${name} ORDER BY id`)).toEqual([
      { name: 'name 1', gone: false },
      { name: 'changed', gone: false },
      { name: 'name 3', gone: true },
      { name: 'name 4', gone: false },
    ])
  })

  it('without a cursor takes the place only of rows that are older than its first reading', async () => {
    const { table, mend, replay, table_ } = await refusing([bad(1), bad(2), bad(3)], { hasCursor: false })
    await mend()
    for (const [id, at] of [
      ['1', "now() - interval '1 day'"],
      ['2', 'now()'],
    ])
      await base.rows(`INSERT INTO ${table} (id, name, _weir_run_id, _weir_loaded_at) VALUES ('${id}', 'stands', 'hand', ${at})`)
    const { report } = await replay()
    expect(report.letters.map(({ outcome }) => outcome)).toEqual(['loaded', 'unchanged', 'loaded'])
    expect((await table_()).map(({ name }) => name)).toEqual(['refused 1', 'stands', 'refused 3'])
  })

  it('in append mode adds the version once, whatever else is there', async () => {
    const { mend, replay, table_, letters } = await refusing([person(1), bad(1), bad(2)], { mode: 'append' })
    await mend()
    expect(await replay()).toMatchObject({ loaded: 2, unchanged: 0 })
    await base.rows(`UPDATE _weir.dead_letters SET status = 'open', closed_at = NULL WHERE stream = $1`, [`s${names}`])
    expect(await replay()).toMatchObject({ loaded: 0, unchanged: 2 })
    expect((await table_()).map(({ name }) => name)).toEqual(['name 1', 'refused 1', 'refused 2'])
    expect((await letters()).map(({ status }) => status)).toEqual(['superseded', 'superseded'])
  })

  it('run twice changes nothing the second time', async () => {
    const { table, mend, replay, letters } = await refusing([bad(1), bad(2)])
    await mend()
    await replay()
    const before = [await base.rows(`SELECT * FROM ${table} ORDER BY id`), await letters()]
    expect(await replay()).toMatchObject({ loaded: 0, unchanged: 0, failed: 0, report: { letters: [] } })
    expect([await base.rows(`SELECT * FROM ${table} ORDER BY id`), await letters()]).toEqual(before)
  })

  it('two at once load each letter once', async () => {
    const { mend, replay, table_ } = await refusing(Array.from({ length: 40 }, (_, i) => bad(i)))
    await mend()
    const both = await Promise.all([replay({ limits: { letters: 7 } }), replay({ limits: { letters: 5 } })])
    expect(both[0].loaded + both[1].loaded).toBe(40)
    expect(await table_()).toHaveLength(40)
  })

  it('beside a load never puts an older record over the row that the load writes meanwhile', async () => {
    const { stream, table, mend, replay, table_, letters } = await refusing([bad(1)], { hasCursor: false })
    await mend()
    // Holds the replay between its look at what stands and its row.
    await base.rows(`CREATE FUNCTION fake.hold_${names}() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.name LIKE 'refused%' THEN PERFORM pg_advisory_xact_lock(42); END IF; RETURN NEW; END $$`)
    await base.rows(`CREATE TRIGGER h BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION fake.hold_${names}()`)
    await base.rows('SELECT pg_advisory_lock(42)')
    const waiting = async (count: number) =>
      (await base.rows("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")).length >= count
    const replaying = replay()
    while (!(await waiting(1)));
    let isLoaded = false
    const now = withoutCursor(fakeStream({ name: stream.name, pages: () => [[person(1)]] }))
    const loading = syncOnce({ warehouse: base.warehouse, stream: now, run: nextRun(), full: true }).then(() => {
      isLoaded = true
    })
    while (!isLoaded && !(await waiting(2)));
    await base.rows('SELECT pg_advisory_unlock(42)')
    await Promise.all([replaying, loading])
    expect(await table_()).toEqual([{ id: '1', name: 'name 1' }])
    expect(await letters()).toMatchObject([{ status: 'replayed' }])
  })

  it('ended in the middle leaves the rest open, and the next one takes just that', async () => {
    const { stream, mend, replay, letters, table_ } = await refusing(Array.from({ length: 6 }, (_, i) => bad(i)))
    await mend()
    const stop = new AbortController()
    const part = replayPart({
      warehouse: base.warehouse,
      stream,
      run: nextRun(),
      limits: { letters: 2 },
      signal: stop.signal,
      onProgress: (tried) => {
        if (tried === 4) stop.abort(new Error('the worker was lost'))
      },
    })
    await expect(part).rejects.toThrow('the worker was lost')
    expect((await letters()).map(({ status }) => status)).toEqual(['replayed', 'replayed', 'replayed', 'replayed', 'open', 'open'])
    expect(await replay()).toMatchObject({ loaded: 2, unchanged: 0 })
    expect(await table_()).toHaveLength(6)
  })

  it('cut off within a transaction takes back rows and letters together', async () => {
    const { table, mend, replay, letters, table_ } = await refusing([bad(1), bad(2), bad(3)])
    await mend()
    await base.rows(`CREATE FUNCTION fake.full_${names}() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.id = '3' THEN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END IF; RETURN NEW; END $$`)
    await base.rows(`CREATE TRIGGER f BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION fake.full_${names}()`)
    await expect(replay()).rejects.toMatchObject({ reason: 'warehouse' })
    expect(await table_()).toEqual([])
    expect((await letters()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['open', 1],
      ['open', 1],
      ['open', 1],
    ])
    await base.rows(`DROP TRIGGER f ON ${table}`)
    expect(await replay()).toMatchObject({ loaded: 3 })
  })

  it('notes what fails again, with the reason, and loads its neighbours', async () => {
    const { table, replay, letters, table_ } = await refusing(Array.from({ length: 9 }, (_, i) => bad(i)))
    await base.rows(`ALTER TABLE ${table} DROP CONSTRAINT wanted, ADD CONSTRAINT wanted CHECK (name <> 'refused 5')`)
    const { report, ...receipt } = await replay()
    expect(receipt).toMatchObject({ loaded: 8, failed: 1 })
    expect(report.letters.filter(({ outcome }) => outcome === 'failed')).toEqual([
      { id: expect.any(String), key: '5', outcome: 'failed', message: expect.stringMatching(/PostgreSQL refused it .*check constraint/) },
    ])
    expect(await table_()).toHaveLength(8)
    expect((await letters()).filter(({ status }) => status === 'open')).toEqual([{ key: '5', status: 'open', attempts: 2 }])
  })

  it('takes what no table could store again when the record itself is the reason', async () => {
    const { replay } = await refusing([person(1, { name: 'nul \u0000' }), { name: 'no key' }])
    const { report } = await replay()
    expect(report.letters.map(({ outcome, message }) => [outcome, message])).toEqual([
      ['failed', expect.stringContaining('NUL')],
      ['failed', expect.stringContaining('"id"')],
    ])
  })

  it('adds the columns that a replayed record brings, and keeps every number exact', async () => {
    const record = bad(1, { big: 12345678901234567890n, city: 'Lyon' })
    const { table, mend, replay } = await refusing([record])
    await base.rows(`ALTER TABLE ${table} DROP COLUMN IF EXISTS big, DROP COLUMN IF EXISTS city`)
    await mend()
    expect(await replay()).toMatchObject({ loaded: 1 })
    expect(await base.rows(`SELECT big::text, city FROM ${table}`)).toEqual([{ big: '12345678901234567890', city: 'Lyon' }])
  })

  it('gives a record that the connector could not read to the connector of today', async () => {
    const { warehouse, rows } = base
    const name = `s${++names}`
    const raws = [{ id: '1', attributes: { name: 'good' } }, { id: '2' }, { id: '3', attributes: { name: 'good too' } }]
    const read = (raw: Rec): Rec => ({ id: raw.id, name: (raw.attributes as Rec).name })
    const stream: Stream = { ...fakeStream({ name, pages: () => [raws] }), record: read }
    expect(await syncOnce({ warehouse, stream, run: nextRun() })).toMatchObject({ read: 3, loaded: 2, deadLetters: 1 })
    expect(await replayOnce({ warehouse, stream, run: nextRun() })).toMatchObject({ failed: 1 })
    const mended: Stream = { ...stream, record: (raw) => ({ id: raw.id, name: (raw.attributes as Rec | undefined)?.name ?? 'nameless' }) }
    expect(await replayOnce({ warehouse, stream: mended, run: nextRun() })).toMatchObject({ loaded: 1 })
    expect(await rows(`SELECT name FROM fake.${name} WHERE id = '2'`)).toEqual([{ name: 'nameless' }])
  })

  it('opens a slice again for the next run, which loads it and closes the letter, and moves no watermark back', async () => {
    const { warehouse, rows } = base
    const name = `s${++names}`
    let isClosed = true
    const stream = fakeStream({
      name,
      pages: () => [[person(1, { updated: '2026-05-11T00:00:00Z' }), person(2, { updated: '2026-05-21T00:00:00Z' })]],
      slicing: { by: 'time', days: 10, lookbackMs: 0, lagMs: 0, first: 'whole', earliest: async () => '2026-05-01T00:00:00.000Z' },
      before: (_, { slice }) => {
        if (isClosed && slice.from === '2026-05-11T00:00:00.000Z') throw new Failure('permanent', 'the vendor refuses this range')
      },
    })
    expect(await syncOnce({ warehouse, stream, run: nextRun() })).toMatchObject({ status: 'completed_with_dead_letters', loaded: 1 })
    const state = () => rows(`SELECT watermark FROM _weir.watermarks WHERE stream = '${name}'`)
    const letter = () => rows(`SELECT kind, status, attempts FROM _weir.dead_letters WHERE stream = '${name}'`)
    const [before] = await state()

    const reopened = await replayOnce({ warehouse, stream, run: nextRun() })
    expect(reopened).toMatchObject({ reopened: 1, readAgain: true })
    // The vendor still refuses: the one letter counts up.
    await syncOnce({ warehouse, stream, run: nextRun() })
    expect(await letter()).toEqual([{ kind: 'slice', status: 'open', attempts: 2 }])

    isClosed = false
    await replayOnce({ warehouse, stream, run: nextRun() })
    expect(await replayOnce({ warehouse, stream, run: nextRun() })).toMatchObject({ reopened: 1 })
    expect(await syncOnce({ warehouse, stream, run: nextRun() })).toMatchObject({ read: 1, loaded: 1 })
    expect(await letter()).toEqual([{ kind: 'slice', status: 'superseded', attempts: 2 }])
    expect(await rows(`SELECT id FROM fake.${name} ORDER BY id`)).toEqual([{ id: '1' }, { id: '2' }])
    expect(await state()).toEqual([before])
    expect(await rows(`SELECT slice FROM _weir.checkpoints WHERE stream = '${name}'`)).toEqual([])
  })

  it('does not open a slice of a way of reading that the stream no longer has', async () => {
    const { warehouse } = base
    const name = `s${++names}`
    const stream = fakeStream({
      name,
      pages: () => [[]],
      before: () => {
        throw new Failure('permanent', 'refused')
      },
    })
    await syncOnce({ warehouse, stream, run: nextRun() })
    const { passes, ...rest } = stream
    const renamed: Stream = { ...rest, passes: [{ ...passes[0], name: 'other' }] }
    expect(await replayOnce({ warehouse, stream: renamed, run: nextRun() })).toMatchObject({
      failed: 1,
      reopened: 0,
      readAgain: false,
      report: { letters: [{ message: expect.stringContaining('no pass main') }] },
    })
  })

  it('has a replaced stream read again instead, and the whole snapshot closes what it no longer meets', async () => {
    const { warehouse, rows } = base
    const name = `s${++names}`
    let records: Rec[] = [person(1), person(2, { name: 'nul \u0000' }), person(3, { name: 'also \u0000' })]
    const stream = fakeStream({ name, mode: 'replace', slicing: { by: 'all' }, pages: () => [records] })
    await syncOnce({ warehouse, stream, run: nextRun() })
    expect(await replayOnce({ warehouse, stream, run: nextRun() })).toMatchObject({ readAgain: true, loaded: 0, failed: 0 })
    records = [person(1), person(2), person(3, { name: 'also \u0000' })]
    await syncOnce({ warehouse, stream, run: nextRun() })
    expect(await rows(`SELECT record_key AS key, status FROM _weir.dead_letters WHERE stream = '${name}' ORDER BY id`)).toEqual([
      { key: '2', status: 'superseded' },
      { key: '3', status: 'open' },
    ])
  })

  it('takes only what the filter names, and no more than the limit', async () => {
    const { mend, replay, letters } = await refusing([bad(1), bad(2), bad(3), bad(4)])
    await mend()
    const [first] = await base.rows(`SELECT id::text FROM _weir.dead_letters WHERE stream = 's${names}' ORDER BY id`)
    expect(await replay({ filter: { ids: [String(first!.id)] } })).toMatchObject({ loaded: 1 })
    expect(await replay({ filter: { reason: 'permanent' } })).toMatchObject({ loaded: 0 })
    expect(await replay({ limit: 2 })).toMatchObject({ loaded: 2 })
    expect((await letters()).map(({ status }) => status)).toEqual(['replayed', 'replayed', 'replayed', 'open'])
  })
})
