import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SchemaPolicy } from '../../../src/core/definition.js'
import { ExactNumber, type Fields, type Rec, type SyncMode } from '../../../src/core/types.js'
import { applyChange } from '../../../src/engine/apply-change.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { syncOnce } from '../../support/engine.js'
import { type FakeStream, fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

const at = '2026-01-01T00:00:00.000Z'
const person = (id: number, more: Rec = {}): Rec => ({ id: String(id), name: `name ${id}`, updated: at, ...more })

describe.each(servers())('changes of schema on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let count = 0
  const nextName = () => `s${++count}`
  const rows = async (sql: string) => (await db.query(sql)).rows as Record<string, unknown>[]
  const definitionOf = (name: string, onSchemaChange: SchemaPolicy) => fakeDefinition({ streams: { [name]: { onSchemaChange } } })
  const sync = (name: string, policy: SchemaPolicy, records: readonly Rec[], more: Partial<FakeStream> = {}) =>
    syncOnce({
      warehouse,
      stream: fakeStream({ name, pages: () => [records], ...more }),
      run: `run-${++count}`,
      definition: definitionOf(name, policy),
      full: true,
    })
  const approve = async (name: string, id: number, policy: SchemaPolicy = 'approve', mode: SyncMode = 'merge') => {
    await warehouse.changes.decide(id, 'approved', 'ana')
    const stream = fakeStream({ name, mode, pages: () => [] })
    let filled = 0
    for (let after: string | undefined; ; ) {
      const done = await applyChange({ warehouse, definition: definitionOf(name, policy), stream, run: 'approval', change: id, after })
      filled += done.filled
      after = done.next
      if (after === undefined) return filled
    }
  }

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  it('capture keeps new fields and values of another type in _weir_extra, without a column, and says so once', async () => {
    const name = nextName()
    await sync(name, 'capture', [person(1)])
    const records = [
      person(1, { city: 'Lyon', age: 41 }),
      person(2, { city: { code: 7 }, name: { first: 'A' } }),
      person(3, { age: 9007199254740993n }),
    ]
    expect(await sync(name, 'capture', records)).toMatchObject({ read: 3, loaded: 3, deadLetters: 0 })
    await sync(name, 'capture', records)
    expect(await rows(`SELECT id, name, _weir_extra::text AS extra FROM fake.${name} ORDER BY id`)).toEqual([
      { id: '1', name: 'name 1', extra: '{"age": 41, "city": "Lyon"}' },
      { id: '2', name: null, extra: '{"city": {"code": 7}, "name": {"first": "A"}}' },
      { id: '3', name: 'name 3', extra: '{"age": 9007199254740993}' },
    ])
    const changes = await warehouse.changes.list({ stream: name })
    expect(
      changes.filter(({ change }) => change === 'field_new').map(({ field, variant, type, status }) => [field, variant, type, status]),
    ).toEqual([
      ['name', 'json', 'json', 'captured'],
      ['age', undefined, 'numeric', 'captured'],
      ['city', undefined, 'text', 'captured'],
    ])
  })

  it('approve goes on loading, and an approval fills the column from what waited, exactly', async () => {
    const name = nextName()
    await sync(name, 'approve', [person(1)])
    await db.query(`CREATE VIEW fake.${name}_view AS SELECT * FROM fake.${name}`)
    const values: unknown[] = [12.5, 9007199254740993n, new ExactNumber('1e400'), 'n/a', { from: 20 }, 0, null]
    await sync(
      name,
      'approve',
      values.map((age, i) => person(i, { age, note: `tab\t"${i}" \\ ü` })),
    )
    const pending = await warehouse.changes.list({ stream: name, status: ['pending'] })
    expect(pending.map(({ field }) => field)).toEqual(['note', 'age'])
    expect(await warehouse.changes.waiting(pending[1]!)).toBe(6)
    expect(await approve(name, pending[1]!.id)).toBe(4)
    expect(await approve(name, pending[0]!.id)).toBe(7)
    const found = await rows(`SELECT id, age::text AS age, note, _weir_extra AS extra FROM fake.${name} ORDER BY id::int`)
    expect(found.map(({ age }) => age)).toEqual(['12.5', '9007199254740993', `1${'0'.repeat(400)}`, null, null, '0', null])
    // What does not fit the column stays where it was: the next reading puts it into a variant, by the same policy.
    expect(found.map(({ extra }) => extra)).toEqual([null, null, null, { age: 'n/a' }, { age: { from: 20 } }, null, null])
    expect(found[0]!.note).toBe('tab\t"0" \\ ü')
    expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}_view`)).toEqual([{ n: 7 }])
    expect(await warehouse.changes.list({ stream: name, ids: [pending[1]!.id] })).toMatchObject([
      { status: 'approved', decidedBy: 'ana', filled: 4 },
    ])
    expect(await sync(name, 'approve', [person(1, { age: 1, note: 'next' })])).toMatchObject({ loaded: 1 })
    expect(await rows(`SELECT age::int, note, _weir_extra AS extra FROM fake.${name} WHERE id = '1'`)).toEqual([
      { age: 1, note: 'next', extra: null },
    ])
  })

  it.each([
    ['approved and filled', true],
    ['approved and not filled yet', false],
  ])('a slice that is under way asks for nothing again that is %s', async (_, isFilled) => {
    const name = nextName()
    await sync(name, 'approve', [person(1, { city: 'Lyon' })])
    await sync(name, 'approve', [person(1, { city: 'Lyon' })])
    const [change] = await warehouse.changes.list({ stream: name, status: ['pending'] })
    const stream = fakeStream({
      name,
      pages: () => [[person(2)], [person(3, { city: 'Ulm' })]],
      before: async (page) => {
        if (page === 1 && isFilled) await approve(name, change!.id)
        else if (page === 1) await warehouse.changes.decide(change!.id, 'approved', 'ana')
      },
    })
    await syncOnce({ warehouse, stream, run: `run-${++count}`, definition: definitionOf(name, 'approve'), full: true })
    expect(await warehouse.changes.list({ stream: name, status: ['pending'] })).toEqual([])
    if (!isFilled) expect(await approve(name, change!.id)).toBe(2)
    expect(await rows(`SELECT id, city FROM fake.${name} WHERE _weir_extra IS NULL ORDER BY id`)).toEqual([
      { id: '1', city: 'Lyon' },
      { id: '2', city: null },
      { id: '3', city: 'Ulm' },
    ])
  })

  it('an approval leaves versions of append what they are: they are not loaded again', async () => {
    const name = nextName()
    const read = (...people: Rec[]) => {
      const stream = fakeStream({ name, mode: 'append', pages: () => [people] })
      return syncOnce({ warehouse, stream, run: `run-${++count}`, definition: definitionOf(name, 'approve'), full: true })
    }
    const all = [person(1, { city: 'Lyon' }), person(1, { city: 'Ulm' }), person(2, { city: { code: 7 } })]
    await read(person(1), person(2))
    expect(await read(...all)).toMatchObject({ loaded: 3 })
    const [change] = await warehouse.changes.list({ stream: name, status: ['pending'] })
    expect(await approve(name, change!.id, 'approve', 'append')).toBe(2)
    expect(await read(person(1), ...all.slice(0, 2))).toMatchObject({ loaded: 0, unchanged: 3 })
    expect(await rows(`SELECT id, city FROM fake.${name} ORDER BY id, city`)).toHaveLength(5)
  })

  it('evolve fills versions of append before they come again: none is loaded twice', async () => {
    const name = nextName()
    const read = (policy: SchemaPolicy, ...people: Rec[]) => {
      const stream = fakeStream({ name, mode: 'append', pages: () => [people] })
      return syncOnce({ warehouse, stream, run: `run-${++count}`, definition: definitionOf(name, policy), full: true })
    }
    const all = [person(1, { city: 'Lyon' }), person(1, { city: 'Ulm' }), person(2, { city: 'Bonn' })]
    await read('capture', person(1))
    await read('capture', ...all)
    expect(await read('evolve', ...all, person(2, { city: 'Jena' }))).toMatchObject({ loaded: 1, unchanged: 3 })
    expect(await rows(`SELECT id, city FROM fake.${name} WHERE _weir_extra IS NULL ORDER BY id, city`)).toEqual([
      { id: '1', city: 'Lyon' },
      { id: '1', city: 'Ulm' },
      { id: '1', city: null },
      { id: '2', city: 'Bonn' },
      { id: '2', city: 'Jena' },
    ])
  })

  it('a version that was loaded again while its value was not in its column yet is one again once it is filled', async () => {
    const name = nextName()
    const read = (run: string, ...people: Rec[]) => {
      const stream = fakeStream({ name, mode: 'append', pages: () => [people] })
      return syncOnce({ warehouse, stream, run, definition: definitionOf(name, 'capture'), full: true })
    }
    await read('first', person(1), person(1, { city: 'Lyon' }), person(2, { city: 'Ulm' }))
    const [change] = await warehouse.changes.list({ stream: name, status: ['captured'] })
    // As another run would that knows the column already.
    await db.query(`ALTER TABLE fake.${name} ADD COLUMN city text`)
    const [version] = await rows(`SELECT columns FROM _weir.schema_versions WHERE table_name = '${name}'`)
    const columns = [...(version!.columns as object[]), { field: 'city', name: 'city', type: 'text' }]
    await db.query(`UPDATE _weir.schema_versions SET columns = $1 WHERE table_name = '${name}'`, [JSON.stringify(columns)])
    expect(await read('second', person(1, { city: 'Lyon' }), person(1, { city: 'Bonn' }))).toMatchObject({ loaded: 2 })
    await approve(name, change!.id, 'capture', 'append')
    expect(await rows(`SELECT id, city, _weir_run_id AS run, _weir_extra AS extra FROM fake.${name} ORDER BY id, city`)).toEqual([
      { id: '1', city: 'Bonn', run: 'second', extra: null },
      { id: '1', city: 'Lyon', run: 'first', extra: null },
      { id: '1', city: null, run: 'first', extra: null },
      { id: '2', city: 'Ulm', run: 'first', extra: null },
    ])
  })

  it('a rejected field stays in _weir_extra and is not asked about again, until somebody approves it after all', async () => {
    const name = nextName()
    await sync(name, 'approve', [person(1)])
    await sync(name, 'approve', [person(1, { city: 'Lyon' })])
    const [change] = await warehouse.changes.list({ stream: name, status: ['pending'] })
    expect(await warehouse.changes.decide(change!.id, 'rejected', 'ben')).toBe(true)
    await sync(name, 'approve', [person(2, { city: 'Ulm' })])
    expect(await warehouse.changes.list({ stream: name, status: ['pending'] })).toEqual([])
    expect(await approve(name, change!.id)).toBe(2)
    expect(await rows(`SELECT id, city FROM fake.${name} ORDER BY id`)).toEqual([
      { id: '1', city: 'Lyon' },
      { id: '2', city: 'Ulm' },
    ])
  })

  it('evolve, when the field comes again, fills its column from what capture had kept, and closes the change', async () => {
    const name = nextName()
    await sync(name, 'capture', [person(1)])
    const many = Array.from({ length: 2_500 }, (_, id) => person(id, { city: `town ${id}`, age: id }))
    await sync(name, 'capture', many)
    // The field comes with one record alone; of the others nobody hears again. Age does not come at all.
    expect(await sync(name, 'evolve', [person(7, { city: 'Lyon' })])).toMatchObject({ status: 'completed', loaded: 1 })
    expect(await rows(`SELECT count(*)::int AS n, count(city)::int AS cities FROM fake.${name}`)).toEqual([{ n: 2_500, cities: 2_500 }])
    expect(await rows(`SELECT city, _weir_extra AS extra FROM fake.${name} WHERE id IN ('7', '8') ORDER BY id`)).toEqual([
      { city: 'Lyon', extra: null },
      { city: 'town 8', extra: { age: 8 } },
    ])
    const changes = await warehouse.changes.list({ stream: name })
    expect(changes.filter(({ change }) => change === 'field_new')).toMatchObject([
      { field: 'age', status: 'captured' },
      { field: 'city', status: 'approved', decidedBy: 'on_schema_change: evolve', filled: 2_499 },
    ])
  })

  it('freeze stops before it loads what is new, and goes on once that is approved', async () => {
    const name = nextName()
    await sync(name, 'freeze', [person(1)])
    const records = [person(1, { city: 'Lyon' }), person(2)]
    await expect(sync(name, 'freeze', records)).rejects.toMatchObject({
      reason: 'schema',
      message: expect.stringContaining('"city" (text)'),
    })
    await expect(sync(name, 'freeze', [person(3, { name: 12.5, updated: 'soon' })])).rejects.toThrow('"updated" as text')
    expect(await rows(`SELECT count(*)::int AS n FROM fake.${name}`)).toEqual([{ n: 1 }])
    const [change] = await warehouse.changes
      .list({ stream: name, status: ['pending'] })
      .then((all) => all.filter(({ field }) => field === 'city'))
    await approve(name, change!.id, 'freeze')
    expect(await sync(name, 'freeze', records)).toMatchObject({ loaded: 2 })
    expect(await rows(`SELECT city FROM fake.${name} ORDER BY id`)).toEqual([{ city: 'Lyon' }, { city: null }])
  })

  it('evolve gives int → decimal → text → object → array in one page a column each, and loses none', async () => {
    const name = nextName()
    const values: unknown[] = [1, 2.5, 'three', { four: 4 }, [5], true, null, 7]
    expect(
      await sync(
        name,
        'evolve',
        values.map((value, i) => person(i, { value })),
      ),
    ).toMatchObject({ loaded: 8, deadLetters: 0 })
    expect(await rows(`SELECT value::text, value__text, value__json, value__boolean FROM fake.${name} ORDER BY id::int`)).toEqual([
      { value: '1', value__text: null, value__json: null, value__boolean: null },
      { value: '2.5', value__text: null, value__json: null, value__boolean: null },
      { value: null, value__text: 'three', value__json: null, value__boolean: null },
      { value: null, value__text: null, value__json: { four: 4 }, value__boolean: null },
      { value: null, value__text: null, value__json: [5], value__boolean: null },
      { value: null, value__text: null, value__json: null, value__boolean: true },
      { value: null, value__text: null, value__json: null, value__boolean: null },
      { value: '7', value__text: null, value__json: null, value__boolean: null },
    ])
  })

  it('notes a field that is gone from every record, once, and when it is back', async () => {
    const name = nextName()
    const many = (more: Rec) => Array.from({ length: 120 }, (_, i) => person(i, more))
    const fields: Fields = { id: { type: 'text' }, name: { type: 'text' }, updated: { type: 'timestamp' }, score: { type: 'numeric' } }
    await sync(name, 'evolve', many({ score: 5 }), { fields })
    await sync(name, 'evolve', many({}), { fields })
    await sync(name, 'evolve', many({}), { fields })
    const noted = async () =>
      (await warehouse.changes.list({ stream: name, status: ['noted'] })).map(({ change, field }) => [change, field])
    expect(await noted()).toEqual([['field_gone', 'score']])
    expect(await rows(`SELECT count(score)::int AS n FROM fake.${name}`)).toEqual([{ n: 0 }])
    await sync(name, 'evolve', many({ score: 'high' }), { fields })
    expect(await noted()).toEqual([
      ['field_back', 'score'],
      ['field_gone', 'score'],
    ])
    expect(await rows(`SELECT count(score__text)::int AS n FROM fake.${name}`)).toEqual([{ n: 120 }])
  })

  it('fails when a field is gone that the stream cannot be read without', async () => {
    const name = nextName()
    const fields: Fields = { id: { type: 'text' }, updated: { type: 'timestamp', required: true } }
    await sync(name, 'evolve', [person(1)], { fields })
    await expect(sync(name, 'evolve', [{ id: '2' }, { id: '3' }], { fields })).rejects.toMatchObject({
      reason: 'schema',
      message: expect.stringContaining('"updated"'),
    })
  })

  it('keeps what is more than a row can hold in _weir_extra: 2,000 filled fields, exactly, said once', { timeout: 60_000 }, async () => {
    const name = nextName()
    const wide = (id: number) =>
      person(id, Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`field_${i}`, `value ${i} of ${id}`])))
    for (let again = 0; again < 2; again++) {
      expect(await sync(name, 'evolve', [person(0), wide(1), wide(2)])).toMatchObject({ read: 3, deadLetters: 0 })
    }
    const [row] = await rows(`SELECT to_jsonb(t) AS row FROM fake.${name} t WHERE id = '2'`)
    const stored = row!.row as Record<string, unknown>
    const found = { ...stored, ...(stored._weir_extra as Record<string, unknown>) } as Record<string, unknown>
    for (let i = 0; i < 2_000; i++) expect(found[`field_${i}`] ?? stored[`field_${i}`]).toBe(`value ${i} of 2`)
    const noted = await warehouse.changes.list({ stream: name, status: ['noted'] })
    expect(noted.map(({ change }) => change)).toEqual(['row_overflow'])
    expect(
      (await rows(`SELECT count(*)::int AS n FROM information_schema.columns WHERE table_name = '${name}'`))[0]!.n,
    ).toBeLessThanOrEqual(1_600)
  })

  it('gives names that collide, are too long, empty, keywords or attacks distinct columns, the same in every run and order', async () => {
    const nasty = [
      'First Name',
      'first_name',
      'FirstName',
      'first-name',
      '',
      ' ',
      'select',
      'order',
      'user',
      '"; DROP TABLE x; --',
      "'; --",
      '$1',
      '%s',
      '\u202e',
      '😀',
      'ä',
      'a'.repeat(70),
      `${'a'.repeat(70)}b`,
      'é'.repeat(40),
      '_weir_run_id',
      '_weir_extra',
      '__proto__x',
      'constructor',
      'toString',
      'a.b',
      'a/b',
      '1st',
      'tab\there',
      'new\nline',
      'back\\slash',
    ]
    const stored = async (name: string) => (await rows(`SELECT to_jsonb(t) AS row FROM fake.${name} t`))[0]!.row as Record<string, unknown>
    const record = (fields: readonly string[]) => person(1, Object.fromEntries(fields.map((field) => [field, `value of ${field}`])))
    const name = nextName()
    await sync(name, 'evolve', [record(nasty)])
    const first = await stored(name)
    expect(await sync(name, 'evolve', [record([...nasty].reverse())])).toMatchObject({ loaded: 0, unchanged: 1 })
    expect(await stored(name)).toEqual(first)
    const columns = (await rows(`SELECT columns FROM _weir.schema_versions WHERE table_name = '${name}' ORDER BY version DESC LIMIT 1`))[0]!
      .columns as { field: string; name: string }[]
    for (const field of nasty) expect(first[columns.find((column) => column.field === field)!.name], field).toBe(`value of ${field}`)
    expect(new Set(columns.map((column) => column.name)).size).toBe(columns.length)
  })
})
