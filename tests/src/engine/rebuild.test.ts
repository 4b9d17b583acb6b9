import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { governed } from '../../../src/columns/governed.js'
import { createHasher } from '../../../src/columns/hash.js'
import type { StreamSettings } from '../../../src/core/definition.js'
import { Failure } from '../../../src/core/failure.js'
import type { RebuildReceipt } from '../../../src/core/rebuild.js'
import { noCounts } from '../../../src/core/receipt.js'
import type { Fields, Rec } from '../../../src/core/types.js'
import { finishRebuild, rebuildRows, startRebuild } from '../../../src/engine/rebuild-table.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { plan, syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream, fixedClock } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const hasher = createHasher('k'.repeat(44))
const updated = '2026-01-01T00:00:00Z'
const declared: Fields = { id: { type: 'text' }, updated: { type: 'timestamp' } }
const kept: StreamSettings = { raw: 'keep' }

describe.each(servers())('rebuilding a table on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let made = 0
  const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await db.query(sql)).rows

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  interface Rebuilding {
    settings?: StreamSettings
    fields?: Fields
    isDryRun?: boolean
    by?: Warehouse
    run?: string
  }

  /** A table of its own, loaded once, and ways to rebuild it. */
  const loaded = async (records: Rec[], settings: StreamSettings = kept, more: { fields?: Fields; deletedAt?: string } = {}) => {
    const name = `r${++made}`
    let runs = 0
    const of = (change: { settings?: StreamSettings; fields?: Fields }) => {
      const now = change.settings ?? settings
      const plain = fakeStream({
        name,
        pages: () => [records],
        fields: declared,
        ...more,
        ...(change.fields ? { fields: change.fields } : {}),
      })
      return { stream: governed(plain, now, hasher), definition: fakeDefinition({ streams: { [name]: now } }) }
    }
    const ref = { sync: 'fake', stream: name }
    await syncOnce({ warehouse, run: `sync-${name}`, ...of({}) })

    const start = async ({ isDryRun = false, by = warehouse, run = `rebuild-${name}-${++runs}`, ...change }: Rebuilding = {}) => {
      const input = { warehouse: by, run, isDryRun, ...of(change) }
      await startRebuild({ ...input, hash: 'none' })
      return { run, go: () => rebuildRows({ ...input, clock: fixedClock(), signal: new AbortController().signal, onProgress: () => {} }) }
    }
    const rebuild = async (rebuilding: Rebuilding = {}): Promise<RebuildReceipt> => {
      const { run, go } = await start(rebuilding)
      await go()
      return finishRebuild({ warehouse, run }, {})
    }
    return { name, ref, of, start, rebuild, all: () => rows(`SELECT * FROM fake.${name} ORDER BY id`) }
  }

  const people = (count: number, more: (at: number) => Rec = () => ({})) =>
    Array.from({ length: count }, (_, at) => ({ id: String(at).padStart(5, '0'), updated, n: at, ...more(at) }))

  it('makes a dropped column anew with the type that is declared now, and touches only rows that come out differently', async () => {
    const { name, rebuild, all } = await loaded(people(5, (at) => ({ size: at < 3 ? `${at}` : null })))
    await db.query(`ALTER TABLE fake.${name} DROP COLUMN size`)
    const fields: Fields = { ...declared, size: { type: 'bigint' } }
    expect(await rebuild({ fields })).toEqual({ status: 'completed', examined: 5, rewritten: 3, withoutRaw: 0, deadLetters: 0 })
    expect((await all()).map(({ size }) => size)).toEqual(['0', '1', '2', null, null])
    expect(await rows(`SELECT DISTINCT pg_typeof(size)::text AS type FROM fake.${name}`)).toEqual([{ type: 'bigint' }])
    expect((await all()).map(({ _weir_run_id }) => _weir_run_id)).toEqual([
      ...Array(3).fill(`rebuild-${name}-1`),
      ...Array(2).fill(`sync-${name}`),
    ])
    expect(await rebuild({ fields })).toMatchObject({ examined: 5, rewritten: 0 })
  })

  it('takes values out of variants and _weir_extra once their own column takes them', async () => {
    const { name, rebuild, all } = await loaded(people(3, (at) => ({ mixed: at === 0 ? true : `text ${at}` })))
    expect((await all())[1]).toMatchObject({ mixed: null, mixed__text: 'text 1' })
    await db.query(`ALTER TABLE fake.${name} ALTER COLUMN mixed TYPE text`)
    await db.query(`UPDATE fake.${name} SET n = NULL, _weir_extra = jsonb_build_object('n', n)`)
    expect(await rebuild()).toMatchObject({ examined: 3, rewritten: 3 })
    expect((await all()).map((row) => [row.mixed, row.mixed__text, row.n, row._weir_extra])).toEqual([
      ['true', null, '0', null],
      ['text 1', null, '1', null],
      ['text 2', null, '2', null],
    ])
  })

  it('goes on behind the last page after a kill, and a second rebuild changes nothing', async () => {
    const { ref, start, rebuild, all, name } = await loaded(people(2_500))
    await db.query(`UPDATE fake.${name} SET n = -1`)
    const watermarks = await warehouse.planning.progress(ref)
    const pages: (readonly string[] | undefined)[] = []
    let kills = 2
    const dying: Warehouse = {
      ...warehouse,
      rebuilds: {
        ...warehouse.rebuilds,
        // Once before its transaction, once right after it.
        async commit(rebuild, batch) {
          pages.push(rebuild.position)
          if (pages.length === 2 && kills-- > 0) throw new Failure('transient', 'the worker was lost')
          const after = await warehouse.rebuilds.commit(rebuild, batch)
          if (pages.length === 3 && kills-- > 0) throw new Failure('transient', 'the worker was lost')
          return after
        },
      },
    }
    const { run, go } = await start({ by: dying })
    await expect(go()).rejects.toThrow('lost')
    await expect(go()).rejects.toThrow('lost')
    await go()
    expect(pages).toEqual([undefined, ['00999'], ['00999'], ['01999']])
    expect(await finishRebuild({ warehouse, run }, {})).toEqual({
      status: 'completed',
      examined: 2_500,
      rewritten: 2_500,
      withoutRaw: 0,
      deadLetters: 0,
    })
    expect((await all()).every(({ id, n }) => Number(n) === Number(id))).toBe(true)
    expect(await warehouse.planning.progress(ref)).toEqual(watermarks)
    expect(await rebuild()).toMatchObject({ examined: 2_500, rewritten: 0 })
  })

  it('lets no attempt write that another one has overtaken', async () => {
    const { start } = await loaded(people(3))
    const overtaken: Warehouse = {
      ...warehouse,
      rebuilds: {
        ...warehouse.rebuilds,
        async commit(rebuild, batch) {
          await warehouse.rebuilds.commit(rebuild, batch)
          return warehouse.rebuilds.commit(rebuild, batch)
        },
      },
    }
    const { go } = await start({ by: overtaken })
    await expect(go()).rejects.toMatchObject({ reason: 'fenced' })
  })

  it('applies a policy that came later to what is kept: no plain value stays in the table', async () => {
    const secret = (at: number) => ({
      email: `canary-${at}@example.com`,
      ssn: `canary-${at}`,
      inner: { name: `canary-${at}`, n: at },
      odd: at === 0 ? true : 'canary-text',
    })
    const { name, rebuild, all } = await loaded(people(3, secret), { raw: 'keep', columns: { 'inner.name': 'hash' } })
    await db.query(`UPDATE fake.${name} SET _weir_extra = '{"ssn":"canary-extra"}' WHERE id = '00001'`)
    const before = await all()
    expect(JSON.stringify(before)).toContain('canary')
    const settings: StreamSettings = { raw: 'keep', columns: { 'inner.name': 'hash', email: 'hash', ssn: 'drop', odd: 'mask' } }
    expect(await rebuild({ settings })).toMatchObject({ examined: 3, rewritten: 3 })
    const after = await all()
    expect(JSON.stringify(after)).not.toContain('canary')
    expect(after[0]).toMatchObject({ email: hasher.hash('canary-0@example.com'), ssn: null, odd: null, inner: before[0]!.inner })
    expect(after[1]).toMatchObject({ odd: null, odd__text: 'c***', inner: { name: hasher.hash('canary-1') }, _weir_extra: null })
    expect(await rebuild({ settings })).toMatchObject({ rewritten: 0 })
    // A policy that goes brings nothing back, and hashes nothing twice.
    expect(await rebuild({ settings: kept })).toMatchObject({ rewritten: 0 })
  })

  it('counts in a dry run what it would change, and changes nothing', async () => {
    const { name, start, rebuild, all } = await loaded(people(4, (at) => (at === 3 ? { late: 'x' } : {})))
    await db.query(`ALTER TABLE fake.${name} DROP COLUMN late`)
    await db.query(`UPDATE fake.${name} SET n = -1 WHERE id < '00002'`)
    const before = await all()
    const versions = await rows('SELECT count(*)::int AS n FROM _weir.schema_versions')
    expect(await rebuild({ isDryRun: true })).toMatchObject({ examined: 4, rewritten: 3 })
    expect(await all()).toEqual(before)
    expect(await rows('SELECT count(*)::int AS n FROM _weir.schema_versions')).toEqual(versions)
    const { run } = await start({ isDryRun: true })
    expect(await rows(`SELECT dry_run, status FROM _weir.rebuilds WHERE run_id = '${run}'`)).toEqual([{ dry_run: true, status: 'running' }])
    expect(await rebuild()).toMatchObject({ rewritten: 3 })
  })

  it('leaves rows without a raw record alone and counts them, and keeps marks of deletion', async () => {
    const fields: Fields = { ...declared, gone: { type: 'timestamp' } }
    const { name, rebuild, all } = await loaded(
      people(3, (at) => ({ gone: at === 1 ? updated : null })),
      kept,
      { fields, deletedAt: 'gone' },
    )
    await db.query(`UPDATE fake.${name} SET n = -1`)
    await db.query(`UPDATE fake.${name} SET _weir_raw = NULL WHERE id = '00002'`)
    expect(await rebuild()).toMatchObject({ examined: 3, rewritten: 2, withoutRaw: 1 })
    expect((await all()).map((row) => [row.n, row._weir_deleted_at])).toEqual([
      ['0', null],
      ['1', new Date(updated)],
      ['-1', null],
    ])
  })

  it('makes a dead letter of what a column refuses, leaves its row, and writes the others', async () => {
    const { name, rebuild, all } = await loaded(people(5))
    await db.query(`UPDATE fake.${name} SET n = -1`)
    await db.query(`ALTER TABLE fake.${name} ADD CONSTRAINT no_two CHECK (n <> 2)`)
    expect(await rebuild()).toMatchObject({ status: 'completed_with_dead_letters', examined: 5, rewritten: 4, deadLetters: 1 })
    expect((await all()).map(({ n }) => n)).toEqual(['0', '1', '-1', '3', '4'])
    expect(await rows(`SELECT record_key, reason, message, payload->>'n' AS n FROM _weir.dead_letters WHERE stream = '${name}'`)).toEqual([
      { record_key: '00002', reason: 'record', message: `PostgreSQL refused the rebuilt row of fake.${name} (23514)`, n: '2' },
    ])
  })

  it('leaves a row to whoever wrote it meanwhile', async () => {
    const { name, start, all } = await loaded(people(3))
    await db.query(`UPDATE fake.${name} SET n = -1`)
    const beside: Warehouse = {
      ...warehouse,
      rebuilds: {
        ...warehouse.rebuilds,
        async commit(rebuild, batch) {
          await db.query(`UPDATE fake.${name} SET n = 77 WHERE id = '00001'`)
          return warehouse.rebuilds.commit(rebuild, batch)
        },
      },
    }
    await (await start({ by: beside })).go()
    expect((await all()).map(({ n }) => n)).toEqual(['0', '77', '2'])
  })

  it('pages by the bytes of raw records, not by rows alone', async () => {
    const { of, name } = await loaded(people(12, () => ({ big: 'x'.repeat(1_000_000) })))
    const { stream, definition } = of({})
    const spec = { schema: definition.schema, table: name, key: stream.key, mode: stream.mode, fields: stream.fields }
    const page = await warehouse.rebuilds.rows(spec, undefined)
    expect(page.length).toBeGreaterThan(6)
    expect(page.length).toBeLessThan(10)
    expect((await warehouse.rebuilds.rows(spec, page.at(-1)!.place))[0]?.place).toEqual([String(page.length).padStart(5, '0')])
  })

  it('is refused, with the reason: while a run reads the stream, and without raw records', async () => {
    const busy = await loaded(people(1))
    await warehouse.runs.start({ run: 'run-under-way', sync: 'fake', definition: 'one', kind: 'manual' })
    await plan({ warehouse, run: 'run-under-way', now: '2026-07-01T00:00:00.000Z', ...busy.of({}) })
    await expect(busy.rebuild()).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('Run run-under-way of sync fake reads'),
    })

    // Nor while an earlier run does, though a later one has ended.
    await syncOnce({ warehouse, run: 'run-later', now: '2026-07-02T00:00:00.000Z', ...busy.of({}) })
    await expect(busy.rebuild()).rejects.toThrow('Run run-under-way of sync fake reads')
    // Whose workflow is gone reads no more.
    await warehouse.runs.finish('run-under-way', 'failed', noCounts())
    await busy.rebuild()

    const bare = await loaded(people(1), {})
    await expect(bare.rebuild()).rejects.toThrow('keeps no raw records')
    await expect(bare.rebuild({ settings: kept })).rejects.toThrow('holds no raw records')
  })
})
