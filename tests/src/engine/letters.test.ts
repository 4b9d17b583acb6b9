import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Rec, Stream } from '../../../src/core/types.js'
import { requireLetterKey } from '../../../src/engine/dead-letters.js'
import { keyText } from '../../../src/schema/key.js'
import { createWarehouse } from '../../../src/warehouse/postgres/warehouse.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { encrypted, type LetterBase, letterBase, person, replayOnce } from '../../support/letters.js'
import { servers } from '../../support/postgres.js'

const nul = (id: number, more: Rec = {}) => person(id, { name: 'nul \u0000', ...more })

describe.each(servers())('dead letters on PostgreSQL $name', ({ url }) => {
  let base: LetterBase
  let names = 0
  let runs = 0
  const nextRun = () => `run-${++runs}`
  const nextName = () => `s${++names}`
  const lettersOf = (name: string) =>
    base.rows(
      `SELECT record_key AS key, status, attempts, form, message, run_id AS run FROM _weir.dead_letters WHERE stream = $1 ORDER BY id`,
      [name],
    )

  /** As if the vendor's NUL had been taken out by hand. */
  const mend = (name: string) =>
    base.rows(`UPDATE _weir.dead_letters SET payload = replace(payload::text, 'nul \\u0000', 'mended')::json WHERE stream = $1`, [name])

  beforeAll(async () => {
    base = await letterBase(url)
  })
  afterAll(() => base.close())

  it('are one for one cause, however often it is met, and open again when it comes back', async () => {
    const name = nextName()
    const stream = fakeStream({ name, pages: () => [[nul(1), person(2)]] })
    const drive = { warehouse: base.warehouse, stream, full: true }
    for (let i = 0; i < 3; i++) await syncOnce({ ...drive, run: nextRun() })
    expect(await lettersOf(name)).toMatchObject([{ key: '1', status: 'open', attempts: 3, run: `run-${runs}` }])
    expect(await base.warehouse.letters.discard({ stream: name })).toBe(1)
    expect(await lettersOf(name)).toMatchObject([{ status: 'discarded' }])
    await syncOnce({ ...drive, run: nextRun() })
    expect(await lettersOf(name)).toMatchObject([{ key: '1', status: 'open', attempts: 4 }])
  })

  it('are closed by the batch that loads their key, and only by it', async () => {
    const name = nextName()
    let records: Rec[] = [nul(1), nul(2), nul(3)]
    const stream = fakeStream({ name, pages: () => [records] })
    const drive = { warehouse: base.warehouse, stream, full: true }
    await syncOnce({ ...drive, run: nextRun() })
    records = [person(1), person(4), nul(2)]
    await syncOnce({ ...drive, run: nextRun() })
    expect(await lettersOf(name)).toMatchObject([
      { key: '1', status: 'superseded', attempts: 1 },
      { key: '2', status: 'open', attempts: 2 },
      { key: '3', status: 'open', attempts: 1 },
    ])
  })

  it.each(['append', 'history'] as const)(
    'are one a version in mode %s: each is kept, none closed by another, and each comes in by a replay',
    async (mode) => {
      const name = nextName()
      let records: Rec[] = [nul(1, { updated: '2026-01-01T00:00:00Z' }), nul(1, { updated: '2026-01-02T00:00:00Z' })]
      const stream = fakeStream({ name, mode, pages: () => [records] })
      const drive = { warehouse: base.warehouse, stream, full: true }
      for (let i = 0; i < 2; i++) await syncOnce({ ...drive, run: nextRun() })
      records = [person(1, { updated: '2026-01-03T00:00:00Z' })]
      await syncOnce({ ...drive, run: nextRun() })
      expect(await lettersOf(name)).toMatchObject([
        { key: '1', status: 'open', attempts: 2 },
        { key: '1', status: 'open', attempts: 2 },
      ])
      await mend(name)
      expect(await replayOnce({ ...drive, run: nextRun() })).toMatchObject({ loaded: 2, failed: 0 })
      expect(await base.rows(`SELECT to_char(updated, 'DD') AS day FROM fake.${name} ORDER BY 1`)).toEqual([
        { day: '01' },
        { day: '02' },
        { day: '03' },
      ])
      // The same version read again stands already.
      records = [nul(1, { updated: '2026-01-01T00:00:00Z' })]
      await syncOnce({ ...drive, run: nextRun() })
      await mend(name)
      expect(await replayOnce({ ...drive, run: nextRun() })).toMatchObject({ loaded: 0, unchanged: 1 })
    },
  )

  it.each([true, false])(
    'hold the newest version that was refused in mode merge, whatever comes last (one batch: %s)',
    async (isOneBatch) => {
      const name = nextName()
      const at = (day: number) => nul(1, { updated: `2026-01-0${day}T00:00:00Z` })
      const { updated: _, ...undated } = at(1)
      const given = [at(2), at(5), at(3), undated]
      const stream = fakeStream({ name, slicing: { by: 'all' }, pages: () => (isOneBatch ? [given] : given.map((record) => [record])) })
      await syncOnce({ warehouse: base.warehouse, stream, run: nextRun(), limits: { batchBytes: 1 } })
      const held = () =>
        base.rows(
          `SELECT substring(payload::text from '2026[^"]*') AS updated, attempts FROM _weir.dead_letters WHERE stream = $1 ORDER BY id`,
          [name],
        )
      // What does not say how old it is may be newer than any other.
      expect(await held()).toEqual([
        { updated: '2026-01-05T00:00:00Z', attempts: 3 },
        { updated: null, attempts: 1 },
      ])
      await base.warehouse.letters.discard({ stream: name })
      given.splice(0, 4, at(4))
      await syncOnce({ warehouse: base.warehouse, stream, run: nextRun(), full: true })
      expect((await held())[0]).toEqual({ updated: '2026-01-04T00:00:00Z', attempts: 4 })
    },
  )

  it('stay open when good and bad versions of one key come together', async () => {
    const name = nextName()
    const stream = fakeStream({ name, pages: () => [[person(1), nul(1)]] })
    const drive = { warehouse: base.warehouse, stream, full: true }
    await syncOnce({ ...drive, run: nextRun() })
    await syncOnce({ ...drive, run: nextRun() })
    expect(await lettersOf(name)).toMatchObject([{ key: '1', status: 'open', attempts: 2 }])
  })

  it('stay open when the commit that would close them is taken back', async () => {
    const name = nextName()
    let records: Rec[] = [nul(1)]
    const stream = fakeStream({ name, pages: () => [records] })
    const drive = { warehouse: base.warehouse, stream, full: true }
    await syncOnce({ ...drive, run: nextRun() })
    records = [person(1)]
    const run = nextRun()
    const { slices } = await plan({ ...drive, run })
    const key = slices[0]!.key
    const late: Stream = {
      ...stream,
      passes: [
        {
          ...stream.passes[0],
          async *read(context) {
            yield* stream.passes[0].read(context)
            await base.warehouse.slices.claim({ sync: 'fake', stream: name, run, key, owner: 'heir', attemptAt: new Date() })
          },
        },
      ],
    }
    await expect(readSlice({ ...drive, stream: late, run }, key)).rejects.toMatchObject({ reason: 'fenced' })
    expect(await lettersOf(name)).toMatchObject([{ key: '1', status: 'open' }])
  })

  it('tell compound keys apart whose texts run together', async () => {
    expect(keyText({ a: 'x/y', b: 'z' }, ['a', 'b'])).not.toBe(keyText({ a: 'x', b: 'y/z' }, ['a', 'b']))
    expect(keyText({ a: 'x","y', b: 1n }, ['a', 'b'])).toBe('["x\\",\\"y","1"]')
    const name = nextName()
    let records: Rec[] = [
      { a: 'x/y', b: 'z', name: 'nul \u0000' },
      { a: 'x', b: 'y/z', name: 'nul \u0000' },
    ]
    const stream: Stream = {
      ...fakeStream({ name, fields: { a: { type: 'text' }, b: { type: 'text' }, updated: { type: 'timestamp' } }, pages: () => [records] }),
      key: ['a', 'b'],
    }
    await syncOnce({ warehouse: base.warehouse, stream, run: nextRun() })
    records = [{ a: 'x', b: 'y/z', name: 'good' }]
    await syncOnce({ warehouse: base.warehouse, stream, run: nextRun(), full: true })
    expect(await lettersOf(name)).toMatchObject([
      { key: '["x/y","z"]', status: 'open' },
      { key: '["x","y/z"]', status: 'superseded' },
    ])
  })

  it('hold the one record of a page that the connector cannot read, as the vendor shows it, and quote nothing of it', async () => {
    const name = nextName()
    const raws = [{ id: '1' }, { id: '2', profile: 'not json: anna@example.com' }, { id: '3' }]
    const stream: Stream = {
      ...fakeStream({ name, pages: () => [raws] }),
      record: (raw) => ({ id: raw.id, ...(raw.profile === undefined ? {} : JSON.parse(String(raw.profile))) }),
    }
    const done = await syncOnce({ warehouse: base.warehouse, stream, run: nextRun() })
    expect(done).toMatchObject({ status: 'completed_with_dead_letters', read: 3, loaded: 2, deadLetters: 1 })
    const [letter] = await lettersOf(name)
    expect(letter).toMatchObject({ key: null, form: 'raw', message: expect.stringContaining('SyntaxError') })
    expect(String(letter!.message)).not.toContain('anna')
    const [held] = await base.rows('SELECT payload FROM _weir.dead_letters WHERE stream = $1', [name])
    expect(held!.payload).toEqual(raws[1])
  })

  it.each([
    ['what PostgreSQL takes', 20_000],
    ['what the usual JSON writer takes', 200_000],
  ])('hold a record that is nested beyond %s, whole, and its neighbours load', async (_, depth) => {
    const name = nextName()
    let nested: unknown = 'core'
    for (let i = 0; i < depth; i++) nested = [nested]
    const stream = fakeStream({ name, pages: () => [[person(1), person(2, { nested }), person(3)]] })
    const done = await syncOnce({ warehouse: base.warehouse, stream, run: nextRun() })
    expect(done).toMatchObject({ status: 'completed_with_dead_letters', read: 3, loaded: 2, deadLetters: 1 })
    const [listed] = await base.warehouse.letters.list({ stream: name }, 10)
    expect(listed).toMatchObject({ key: '2', message: expect.stringContaining('nested too deeply for json: the payload is kept as text') })
    const { payload } = (await base.warehouse.letters.get(listed!.id))!
    expect(payload).toContain(`"nested":${'['.repeat(depth)}"core"${']'.repeat(depth)}`)
    // Nothing of this stops a replay: it fails again, alone.
    expect(await replayOnce({ warehouse: base.warehouse, stream, run: nextRun() })).toMatchObject({ failed: 1 })
  })

  it('leave after their retention: closed ones by the day they were closed, open ones only where one is set', async () => {
    const name = nextName()
    const stream = fakeStream({ name, pages: () => [[nul(1), nul(2), nul(3)]] })
    const drive = { warehouse: base.warehouse, stream }
    await syncOnce({ ...drive, run: nextRun() })
    await base.rows(
      `UPDATE _weir.dead_letters SET status = 'discarded', closed_at = now() - CASE record_key WHEN '1' THEN interval '91 days' ELSE interval '89 days' END
        WHERE stream = $1 AND record_key IN ('1', '2')`,
      [name],
    )
    await base.rows(`UPDATE _weir.dead_letters SET last_seen_at = now() - interval '5 years' WHERE stream = $1 AND record_key = '3'`, [
      name,
    ])
    const quiet = { ...drive, stream: fakeStream({ name, pages: () => [] }) }
    await syncOnce({ ...quiet, run: nextRun() })
    expect((await lettersOf(name)).map(({ key }) => key)).toEqual(['2', '3'])
    const definition = fakeDefinition({
      deadLetters: { maxRows: 1000, maxPercent: 100 },
      streams: { [name]: { deadLetters: { retentionMs: 30 * 86_400_000 } } },
    })
    await syncOnce({ ...quiet, definition, run: nextRun() })
    expect(await lettersOf(name)).toEqual([])
  })

  it('are bounded by the words of their stream where it has some', async () => {
    const name = nextName()
    const stream = fakeStream({ name, pages: () => [[nul(1), nul(2), person(3)]] })
    const drive = { warehouse: base.warehouse, stream }
    const bounded = fakeDefinition({ streams: { [name]: { deadLetters: { maxRows: 1 } } } })
    const run = nextRun()
    const { slices } = await plan({ ...drive, definition: bounded, run })
    await expect(readSlice({ ...drive, definition: bounded, run }, slices[0]!.key)).rejects.toMatchObject({
      reason: 'threshold',
      message: expect.stringContaining(`weir dlq list fake --stream ${name}`),
    })
    const share = fakeDefinition({ streams: { [name]: { deadLetters: { maxPercent: 50 } } } })
    expect(await syncOnce({ ...drive, definition: share, full: true, run: nextRun() })).toMatchObject({
      status: 'failed',
      failure: { reason: 'threshold', message: expect.stringContaining('50 % are allowed') },
    })
  })

  it('are sealed where asked for: nothing of a record is in the table, and a replay opens them', async () => {
    const name = nextName()
    const secret = 'anna@example.com'
    const stream = fakeStream({ name, pages: () => [[nul(1, { mail: secret }), person(2)]] })
    const drive = { warehouse: base.warehouse, stream, definition: encrypted() }
    await syncOnce({ ...drive, run: nextRun() })
    const [found] = await base.rows('SELECT id::text, d::text AS text, sealed_by FROM _weir.dead_letters d WHERE stream = $1', [name])
    expect(String(found!.text)).not.toContain('anna')
    expect(String(found!.text)).not.toContain(Buffer.from(secret).toString('base64').slice(0, 12))
    expect(found!.sealed_by).toMatch(/^[0-9a-f]{8}$/)
    expect(JSON.parse((await base.warehouse.letters.get(String(found!.id)))!.payload)).toMatchObject({ id: '1', mail: secret })
    expect(await replayOnce({ ...drive, run: nextRun() })).toMatchObject({ failed: 1, report: { letters: [{ key: '1' }] } })
    expect(String((await base.rows('SELECT d::text AS text FROM _weir.dead_letters d WHERE stream = $1', [name]))[0]!.text)).not.toContain(
      'anna',
    )
  })

  it('are refused without the key, before anything is read, and with another key, untouched', async () => {
    const name = nextName()
    const stream = fakeStream({ name, pages: () => [[nul(1)]] })
    const definition = encrypted()
    await syncOnce({ warehouse: base.warehouse, stream, definition, run: nextRun() })
    const before = await lettersOf(name)
    const keyless = createWarehouse(base.url)
    const other = createWarehouse(base.url, { key: 'another key of thirty-two letters' })
    try {
      await expect(requireLetterKey(keyless, definition, [name])).rejects.toMatchObject({
        reason: 'config',
        message: expect.stringContaining('WEIR_KEY is not set'),
      })
      await requireLetterKey(keyless, fakeDefinition(), [name])
      await requireLetterKey(base.warehouse, definition, [name])
      await expect(replayOnce({ warehouse: keyless, stream, definition, run: nextRun() })).rejects.toThrow('WEIR_KEY is not set')
      await expect(replayOnce({ warehouse: other, stream, definition, run: nextRun() })).rejects.toMatchObject({
        reason: 'config',
        message: expect.stringMatching(/sealed with another WEIR_KEY \([0-9a-f]{8}\)/),
      })
      expect(await lettersOf(name)).toEqual(before)
      expect(await keyless.letters.list({ stream: name }, 10)).toHaveLength(1)
    } finally {
      await keyless.close()
      await other.close()
    }
  })

  it('are found by sync, stream, kind, reason, run, time and id, all of which must fit', async () => {
    const name = nextName()
    const stream = fakeStream({ name, pages: () => [[nul(1), nul(2)]] })
    const run = nextRun()
    await syncOnce({ warehouse: base.warehouse, stream, run })
    const { letters } = base.warehouse
    const [one] = await letters.list({ stream: name }, 1)
    const found = async (filter: Parameters<typeof letters.list>[0]) => (await letters.list({ stream: name, ...filter }, 10)).length
    expect(await found({ sync: 'fake', kind: 'record', reason: 'record', run, since: '2020-01-01T00:00:00Z', status: 'open' })).toBe(2)
    expect(await found({ ids: [one!.id], run })).toBe(1)
    for (const filter of [
      { sync: 'other' },
      { kind: 'slice' as const },
      { reason: 'permanent' },
      { run: 'none' },
      { since: '2999-01-01T00:00:00Z' },
      { status: 'replayed' as const },
    ])
      expect(await found(filter), JSON.stringify(filter)).toBe(0)
    expect(await letters.count({ stream: name })).toEqual([{ sync: 'fake', stream: name, kind: 'record', letters: 2 }])
    expect(one).not.toHaveProperty('payload')
  })
})
