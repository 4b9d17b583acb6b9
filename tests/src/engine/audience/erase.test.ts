import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AudienceDefinition } from '../../../../src/core/audience.js'
import { erase, type Named } from '../../../../src/engine/audience/erase.js'
import { judge } from '../../../../src/engine/audience/gates.js'
import { email, phone } from '../../../../src/identity/normalize.js'
import type { Warehouse } from '../../../../src/warehouse/driver.js'
import { createWarehouse } from '../../../../src/warehouse/postgres/warehouse.js'
import {
  audienceKey,
  encodeFor,
  fakeAudience,
  fakeDestination,
  fakeDestinationDefinition,
  mark,
  prepare,
  push,
  send,
} from '../../../support/audience.js'
import { openedDatabase, servers } from '../../../support/postgres.js'

describe.each(servers())('erasing a person, on PostgreSQL $name', ({ url: server }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let url: string
  let close: () => Promise<void>
  let runs = 0
  const next = () => `run-${++runs}`

  beforeAll(async () => {
    ;({ warehouse, db, url, close } = await openedDatabase(server, { key: audienceKey }))
    await db.query('CREATE TABLE people (id text, email text, phone text)')
  })
  afterAll(() => close())
  beforeEach(async () => {
    await db.query('TRUNCATE people, _weir.audience_members, _weir.audience_changes, _weir.erasures, _weir.dead_letters')
  })

  const have = async (...people: [string, string | null, string?][]) => {
    await db.query('TRUNCATE people')
    for (const [id, address, number] of people) await db.query('INSERT INTO people VALUES ($1, $2, $3)', [id, address, number ?? null])
  }
  const definition = fakeAudience({ identity: { email: 'email', phone: 'phone' }, defaultCountry: 'DE' })
  const ask = (named: Named, more: { isDryRun?: boolean } = {}) =>
    erase({ warehouse, mark, named, models: { vip: 'vip' }, by: 'ana', isDryRun: false, ...more })
  const ben: Named = { kind: 'email', text: ' Ben@Example.test ' }
  /** Rows of Weir's own tables in which a text stands. */
  const traces = async (text: string) => {
    const { rows } = await db.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '_weir'",
    )
    const found: string[] = []
    for (const { name } of rows)
      if ((await db.query(`SELECT 1 FROM _weir.${name} AS t WHERE strpos(lower(t::text), lower($1)) > 0`, [text])).rowCount)
        found.push(name)
    return found
  }
  const [one, two, three] = [
    ['key-1', 'ana@example.test', '0151 2345678'],
    ['key-2', 'ben@example.test', '+49 151 7654321'],
    ['key-3', 'cy@example.test'],
  ] as [string, string, string?][]

  test.each([
    ['address', ben],
    ['number', { kind: 'phone', text: '+49 (151) 765-4321' }],
    ['national number', { kind: 'phone', text: '0151 7654321', country: 'DE' }],
    ['key', { kind: 'key', text: 'key-2', model: 'vip' }],
  ] as [string, Named][])('by %s: taken back by the next push, forgotten when that is done, and never sent again', async (_, named) => {
    await have(one!, two!, three!)
    const fake = fakeDestination()
    await push({ warehouse, run: next(), definition, fake })
    const report = await ask(named)
    expect(report).toMatchObject({ pending: [{ audience: 'vip', destination: 'there', members: 1 }], forgotten: 0 })
    expect(await warehouse.erasures.list(10)).toMatchObject([{ kind: named.kind, by: 'ana', pending: report.pending }])
    const pushed = await push({ warehouse, run: next(), definition, fake })
    expect(pushed).toMatchObject({ people: 2, excluded: { erased: 1 } })
    expect(pushed.destinations.there).toMatchObject({ add: 0, remove: 1, owed: 1, causes: { erased: 1 } })
    expect([...fake.held.keys()].sort()).toEqual(['ana@example.test', 'cy@example.test'])
    expect(await traces('key-2')).toEqual([])
    const [ended] = await warehouse.erasures.list(10)
    expect(ended).toMatchObject({ pending: [], endedAt: expect.any(String) })
    const again = await push({ warehouse, run: next(), definition, fake })
    expect(again.destinations.there).toMatchObject({ add: 0, remove: 0 })
    expect(await traces('key-2')).toEqual([])
    expect([...fake.held.keys()]).toHaveLength(2)
  })

  test('whose row is gone from the model is found all the same, in each mode that adds', async () => {
    for (const mode of ['mirror', 'add', 'upsert'] as const) {
      await db.query('TRUNCATE _weir.audience_members, _weir.erasures')
      const audience = { ...definition, destinations: { there: fakeDestinationDefinition({ mode }) } }
      await have(one!, two!)
      const fake = fakeDestination()
      await push({ warehouse, run: next(), definition: audience, fake })
      await have(one!)
      await ask(ben)
      const { destinations } = await push({ warehouse, run: next(), definition: audience, fake })
      expect(destinations.there, mode).toMatchObject({ remove: 1, owed: 1, causes: { erased: 1 } })
      expect([...fake.held.keys()], mode).toEqual(['ana@example.test'])
    }
  })

  test('no gate holds the removal back, nor does it count against one', async () => {
    const gated: AudienceDefinition = { ...definition, gates: { minSize: 100, maxRemove: { people: 0 }, otherwise: 'ask' } }
    await have(one!, two!, three!)
    const fake = fakeDestination()
    await push({ warehouse, run: next(), definition: gated, fake })
    await ask(ben)
    const second = { warehouse, run: next(), definition: gated, fake }
    const prepared = await prepare(second)
    const { reasons, owed } = judge(gated, prepared, prepared, { holds: [], notes: [] })
    expect(owed).toBe(1)
    expect(reasons.join()).toMatch(/min_size/)
    expect(reasons.join()).not.toMatch(/max_remove/)
    await send({ ...second, isOwedOnly: true })
    expect([...fake.held.keys()]).not.toContain('ben@example.test')
    // While it waits for a decision on the rest, the ledger has forgotten already.
    await warehouse.audiences.setStatus(second.run, 'waiting', { expiresAt: '2030-01-01T00:00:00Z' })
    expect(await traces('key-2')).toEqual([])
  })

  test('between freezing and sending: nothing leaves, in any of many tries', async () => {
    for (let n = 0; n < 20; n++) {
      await db.query('TRUNCATE _weir.audience_members, _weir.erasures')
      await have(one!, two!, three!)
      const fake = fakeDestination({ batch: 1 + (n % 3) })
      const run = next()
      await prepare({ warehouse, run, definition, fake })
      await ask(n % 2 === 0 ? ben : { kind: 'key', text: 'key-2', model: 'vip' })
      await send({ warehouse, run, definition, fake })
      await warehouse.audiences.finish(run, 'completed')
      expect([...fake.held.keys()].sort()).toEqual(['ana@example.test', 'cy@example.test'])
      expect(fake.calls.flatMap(({ members }) => members).some(({ identifiers }) => identifiers.email?.startsWith('ben'))).toBe(false)
    }
  })

  test('who was never sent is not sent later: another spelling of the address, another key, another destination', async () => {
    await ask({ kind: 'email', text: 'ben.smith+news@gmail.com' })
    await have(one!, ['key-9', 'BenSmith@gmail.com'])
    const two = { ...definition, destinations: { there: fakeDestinationDefinition(), here: fakeDestinationDefinition({ mode: 'upsert' }) } }
    const fake = fakeDestination()
    const { destinations } = await push({ warehouse, run: next(), definition: two, fake })
    expect(destinations.there).toMatchObject({ add: 1, excluded: { erased: 1 } })
    expect(destinations.here).toMatchObject({ add: 1, excluded: { erased: 1 } })
    expect([...fake.held.keys()]).toEqual(['ana@example.test'])
    expect(await traces('key-9')).toEqual([])
  })

  test('who comes with another address under the same key is known by the key', async () => {
    await have(one!, two!)
    const fake = fakeDestination()
    await push({ warehouse, run: next(), definition, fake })
    await ask(ben)
    await push({ warehouse, run: next(), definition, fake })
    await have(one!, ['key-2', 'benjamin@example.test'])
    expect((await push({ warehouse, run: next(), definition, fake })).excluded).toEqual({ erased: 1 })
    expect([...fake.held.keys()]).toEqual(['ana@example.test'])
  })

  test('who stands in the model hashed is found by the address, too', async () => {
    const sha = 'd79d4bf5a8a4cd45d1c1a2d2bb1e9f8b1d1a2b7a55f0a6f2d8f5c9b2f2d70b5e'
    await db.query(
      "INSERT INTO people VALUES ('key-2', encode(sha256(convert_to('ben@example.test', 'UTF8')), 'hex'), NULL), ('key-1', $1, NULL)",
      [sha],
    )
    const hashing = fakeDestination({ identifiers: { email: { normalize: email, hash: true }, phone: { normalize: phone, hash: true } } })
    const audience = fakeAudience({ identity: { email: 'email' }, hashed: ['email'] })
    await push({ warehouse, run: next(), definition: audience, fake: hashing })
    expect((await ask(ben)).pending).toHaveLength(1)
    await push({ warehouse, run: next(), definition: audience, fake: hashing })
    expect([...hashing.held.keys()]).toEqual([sha])
  })

  test('whom the ledger holds from before marks were kept is looked at anew, once, and found', async () => {
    await have(one!, two!)
    const fake = fakeDestination()
    await push({ warehouse, run: next(), definition, fake })
    await db.query('UPDATE _weir.audience_members SET marks = NULL')
    expect((await ask(ben)).pending).toEqual([])
    const { destinations } = await push({ warehouse, run: next(), definition, fake })
    expect(destinations.there).toMatchObject({ add: 0, update: 0, remove: 1, owed: 1 })
    expect([...fake.held.keys()]).toEqual(['ana@example.test'])
    expect(await traces('key-2')).toEqual([])
    expect((await db.query('SELECT 1 FROM _weir.audience_members WHERE marks IS NULL')).rowCount).toBe(0)
  })

  test('a refused removal stays owed until the vendor takes it', async () => {
    await have(one!, two!)
    await push({ warehouse, run: next(), definition, fake: fakeDestination() })
    await ask(ben)
    const refusing = fakeDestination({}, (_, members) => ({
      outcomes: members.map(({ ref }) => ({ ref, refused: { reason: 'record', message: 'Not now.' } })),
    }))
    for (let n = 0; n < 7; n++) {
      const { destinations } = await push({ warehouse, run: next(), definition, fake: refusing })
      expect(destinations.there).toMatchObject({ remove: 1, owed: 1 })
      expect((await warehouse.erasures.list(1))[0]!.pending).toHaveLength(1)
    }
    await push({ warehouse, run: next(), definition, fake: fakeDestination() })
    expect((await warehouse.erasures.list(1))[0]!).toMatchObject({ pending: [], endedAt: expect.any(String) })
  })

  test('dead letters that hold the address or the number are deleted, others stay; a dry run only counts', async () => {
    const letters = [
      '{"email": "BEN@example.test", "name": "Ben"}',
      '{"note": "wrote to ben@example.test."}',
      '{"tel": "+49 151 765-4321", "note": "ben"}',
      '{"email": "big.ben@example.test"}',
      '{"email": "ben@example.test.org"}',
      '{"tel": "+49 151 76543210"}',
    ]
    for (const [n, payload] of letters.entries())
      await db.query(
        `INSERT INTO _weir.dead_letters (sync, stream, run_id, kind, reason, message, payload, fingerprint) VALUES ('crm', 'people', 'run', 'record', 'record', 'no', $1, $2)`,
        [payload, `f${n}`],
      )
    const left = async () =>
      (await db.query<{ f: string }>('SELECT fingerprint AS f FROM _weir.dead_letters ORDER BY 1')).rows.map(({ f }) => f)
    expect(await ask(ben, { isDryRun: true })).toEqual({ pending: [], forgotten: 0, deadLetters: 2 })
    expect(await left()).toHaveLength(6)
    expect(await warehouse.erasures.list(10)).toEqual([])
    expect(await ask(ben)).toMatchObject({ deadLetters: 2 })
    expect(await left()).toEqual(['f2', 'f3', 'f4', 'f5'])
    expect(await ask({ kind: 'phone', text: '+491517654321' })).toMatchObject({ deadLetters: 1 })
    expect(await left()).toEqual(['f3', 'f4', 'f5'])
  })

  test('the same person twice is one erasure; what is kept and logged of it names nobody', async () => {
    await have(one!, two!)
    const fake = fakeDestination()
    await push({ warehouse, run: next(), definition, fake })
    const first = await ask(ben)
    const second = await ask({ kind: 'email', text: 'ben@example.test' })
    expect(second).toMatchObject({ id: first.id, pending: first.pending })
    expect(await warehouse.erasures.list(10)).toHaveLength(1)
    await push({ warehouse, run: next(), definition, fake })
    expect(await traces('ben@example.test')).toEqual([])
    expect(await traces('7654321')).toEqual([])
    const log = (await warehouse.audit.list({ limit: 20 })).map(({ event }) => event)
    expect(log.slice(0, 1)).toEqual(['erasure_ended'])
    expect(log).toContain('erasure_asked')
    expect((await warehouse.audit.verify()).broken).toBeUndefined()
  })

  test('what is no address, no number, and a key of no model is refused', async () => {
    await expect(ask({ kind: 'email', text: 'ben' })).rejects.toThrow(/no e-mail address/)
    await expect(ask({ kind: 'phone', text: '0151 7654321' })).rejects.toThrow(/--country/)
    await expect(ask({ kind: 'key', text: '2' })).rejects.toThrow(/--model \(vip\)/)
  })

  test('with another WEIR_KEY nothing is sent: who was erased could not be told from others', async () => {
    await ask(ben)
    await have(one!, two!)
    const other = createWarehouse(url, { key: 'b'.repeat(44) })
    try {
      await expect(prepare({ warehouse: other, run: next(), definition, fake: fakeDestination() })).rejects.toThrow(
        /People were erased with WEIR_KEY [0-9a-f]{8} set/,
      )
    } finally {
      await other.close()
    }
  })

  test('a preview says who is left out, and keeps nothing', async () => {
    await have(one!, two!)
    await ask(ben)
    const fake = fakeDestination()
    const seen = await warehouse.audiences.preview({
      definition,
      destinations: { there: { canRemove: true } },
      encode: encodeFor(definition, fake.destination),
      onProgress: () => undefined,
    })
    expect(seen.destinations.there).toMatchObject({ add: 1, excluded: { erased: 1 } })
    expect((await db.query('SELECT 1 FROM _weir.audience_members')).rowCount).toBe(0)
  })
})
