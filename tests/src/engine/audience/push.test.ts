import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Failure } from '../../../../src/core/failure.js'
import { previewPush } from '../../../../src/engine/audience/prepare-push.js'
import { country, email, plain } from '../../../../src/identity/normalize.js'
import type { Warehouse } from '../../../../src/warehouse/driver.js'
import {
  audienceKey,
  fakeAudience,
  fakeDestination,
  fakeDestinationDefinition,
  mark,
  prepare,
  push,
  send,
} from '../../../support/audience.js'
import { noHttp } from '../../../support/fake-source.js'
import { openedDatabase, servers } from '../../../support/postgres.js'

describe.each(servers())('a push, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: () => Promise<void>
  let runs = 0
  const next = () => `run-${++runs}`

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url, { key: audienceKey }))
    await db.query('CREATE TABLE people (id text, email text, consent text, ltv numeric)')
    await db.query('CREATE TABLE stop (id text, email text)')
  })
  afterAll(() => close())
  beforeEach(async () => {
    await db.query('TRUNCATE people, stop, _weir.audience_members, _weir.audience_changes')
  })
  const have = async (...people: [string, string | null, string?][]) => {
    await db.query('TRUNCATE people')
    for (const [id, email, consent] of people)
      await db.query('INSERT INTO people VALUES ($1, $2, $3, 10)', [id, email, consent ?? 'granted'])
  }
  const consenting = () =>
    fakeAudience({
      consent: { column: 'consent', granted: ['granted'], refused: ['denied'] },
      destinations: { there: fakeDestinationDefinition() },
    })
  const states = async () =>
    Object.fromEntries(
      (await db.query<{ key: string; state: string }>('SELECT key, state FROM _weir.audience_members ORDER BY key, state')).rows.map(
        (row) => [row.key, row.state],
      ),
    )

  test('brings a destination to what the model says, and a second one changes nothing', async () => {
    await have(['1', 'Ana@Example.test '], ['2', 'ben@example.test'], ['3', 'cy@example.test'], ['4', 'di@example.test'])
    const fake = fakeDestination()
    const first = await push({ warehouse, run: next(), fake })
    expect(first.destinations.there).toMatchObject({ add: 4, update: 0, remove: 0, held: 0 })
    expect([...fake.held.keys()].sort()).toEqual(['ana@example.test', 'ben@example.test', 'cy@example.test', 'di@example.test'])
    expect(fake.calls.map(({ members }) => members.length)).toEqual([3, 1])
    const second = await push({ warehouse, run: next(), fake })
    expect(second.destinations.there).toMatchObject({ add: 0, update: 0, remove: 0, held: 4, unchanged: 4 })
    expect(fake.calls).toHaveLength(2)
  })

  test('another list than before is filled anew, and what the old one holds is known when it is the list again', async () => {
    await db.query('TRUNCATE _weir.audience_destination_runs')
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'])
    await push({ warehouse, run: next(), fake: fakeDestination() })
    await have(['2', 'ben@example.test'], ['3', 'cy@example.test'])
    const other = fakeDestination()
    const moved = await push({ warehouse, run: next(), fake: other, target: { id: '2', name: 'vip' } })
    expect(moved.destinations.there).toMatchObject({ add: 2, remove: 0, held: 0 })
    expect([...other.held.keys()].sort()).toEqual(['ben@example.test', 'cy@example.test'])
    expect(await warehouse.audiences.standing('vip')).toEqual([
      { destination: 'there', state: 'confirmed', members: 2 },
      { destination: 'there@1', state: 'confirmed', members: 2 },
    ])
    const back = await push({ warehouse, run: next(), fake: fakeDestination() })
    expect(back.destinations.there).toMatchObject({ add: 1, remove: 1, held: 2 })
  })

  test('a list that is another than the last good push’s is said by each push until one ends well, and swapped once', async () => {
    await db.query('TRUNCATE _weir.audience_destination_runs')
    await have(['1', 'ana@example.test'])
    await push({ warehouse, run: next(), fake: fakeDestination() })
    const { audiences } = warehouse
    const [old, made] = [
      { id: '1', name: 'vip' },
      { id: '2', name: 'vip' },
    ]
    for (const run of [next(), next()]) {
      await audiences.begin({ run, audience: 'vip', definition: 'none', kind: 'manual' })
      for (const _ of [1, 2]) expect(await audiences.target(run, 'there', made)).toEqual(old)
      expect((await audiences.standing('vip')).map(({ destination }) => destination)).toEqual(['there@1'])
      await audiences.finish(run, 'cancelled')
    }
    // The vendor gives a new list the id of one that is gone.
    const again = next()
    await audiences.begin({ run: again, audience: 'vip', definition: 'none', kind: 'manual' })
    for (const isNew of [true, false]) expect(await audiences.target(again, 'there', { ...old, isNew })).toEqual(old)
    expect(await audiences.standing('vip')).toEqual([])
    await audiences.finish(again, 'cancelled')
    const last = next()
    await audiences.begin({ run: last, audience: 'vip', definition: 'none', kind: 'manual' })
    expect(await audiences.target(last, 'there', old)).toBeUndefined()
    expect(await audiences.standing('vip')).toEqual([])
  })

  test('who left the model is removed by the id that the vendor gave; an address that changed leaves before the new one comes', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'])
    const fake = fakeDestination()
    await push({ warehouse, run: next(), fake })
    await have(['2', 'benjamin@example.test'])
    const { destinations } = await push({ warehouse, run: next(), fake })
    expect(destinations.there).toMatchObject({ add: 1, remove: 2, causes: { left: 1, readdressed: 2 } })
    expect([...fake.held.keys()]).toEqual(['benjamin@example.test'])
    expect(fake.calls.slice(1).map(({ action }) => action)).toEqual(['remove', 'add'])
    const { rows } = await db.query("SELECT 1 FROM _weir.audience_members WHERE identifiers::text LIKE '%@%' OR content LIKE '%@%'")
    expect(rows).toEqual([])
  })

  test('of two people of one address nothing is taken away while one stays, by leaving or by another address; a refusal takes it away', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ana@example.test'], ['3', 'ana@example.test'])
    const definition = consenting()
    const fake = fakeDestination()
    await push({ warehouse, run: next(), definition, fake })
    await have(['1', 'ana@example.test'], ['3', 'anna@example.test'])
    expect((await push({ warehouse, run: next(), definition, fake })).destinations.there).toMatchObject({ add: 1, remove: 0 })
    expect([...fake.held.keys()].sort()).toEqual(['ana@example.test', 'anna@example.test'])
    expect((await push({ warehouse, run: next(), definition, fake })).destinations.there).toMatchObject({ add: 0, remove: 0, held: 2 })
    await have(['1', 'ana@example.test', 'denied'], ['3', 'anna@example.test'])
    await push({ warehouse, run: next(), definition, fake })
    expect([...fake.held.keys()]).toEqual(['anna@example.test'])
  })

  test('only what a destination takes is compared: another value of it is sent, of another column is not', async () => {
    await have(['1', 'ana@example.test'])
    const definition = fakeAudience({ destinations: { there: fakeDestinationDefinition({ map: { ltv: { column: 'ltv' } } }) } })
    const fake = fakeDestination()
    await push({ warehouse, run: next(), definition, fake })
    await db.query("UPDATE people SET consent = 'other'")
    expect((await push({ warehouse, run: next(), definition, fake })).destinations.there).toMatchObject({ update: 0, unchanged: 1 })
    await db.query('UPDATE people SET ltv = 12.5')
    expect((await push({ warehouse, run: next(), definition, fake })).destinations.there).toMatchObject({
      update: 1,
      causes: { changed: 1 },
    })
    expect(fake.held.get('ana@example.test')).toEqual({ ltv: 12.5 })
  })

  test('unknown consent and refusals are not sent; a refusal of who is held is owed, an unknown is not', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'], ['3', 'cy@example.test', 'denied'], ['4', 'di@example.test', ''])
    const fake = fakeDestination()
    const definition = consenting()
    const first = await push({ warehouse, run: next(), definition, fake })
    expect(first).toMatchObject({ rows: 4, people: 2, excluded: { consent_refused: 1, consent_unknown: 1 } })
    await have(['1', 'ana@example.test', 'denied'], ['2', 'ben@example.test', 'who knows'])
    const second = { warehouse, run: next(), definition, fake }
    expect((await prepare(second)).destinations.there).toMatchObject({
      remove: 2,
      owed: 1,
      causes: { consent_refused: 1, consent_unknown: 1 },
    })
    await send({ ...second, isOwedOnly: true })
    expect([...fake.held.keys()]).toEqual(['ben@example.test'])
    await send(second)
    expect([...fake.held.keys()]).toEqual([])
  })

  test.each(['add', 'upsert'] as const)('mode %s removes nobody but who refuses or is suppressed', async (mode) => {
    const definition = fakeAudience({
      ...consenting(),
      suppress: [{ model: { name: 'stop', sql: 'SELECT email FROM stop', key: 'email' }, by: 'email' }],
      destinations: { there: fakeDestinationDefinition({ mode }) },
    })
    await have(['1', 'ana@example.test'], ['2', 'ben@gmail.com'], ['3', 'cy@example.test'], ['4', 'di@example.test'])
    const fake = fakeDestination()
    await push({ warehouse, run: next(), definition, fake })
    await have(['1', 'ana@example.test', 'denied'], ['2', 'ben@gmail.com'], ['3', 'cy@example.test', 'unclear'])
    await db.query("INSERT INTO stop VALUES (NULL, ' B.E.N+shop@GMAIL.com')")
    expect((await push({ warehouse, run: next(), definition, fake })).destinations.there).toMatchObject({ add: 0, remove: 2, owed: 2 })
    expect([...fake.held.keys()].sort()).toEqual(['cy@example.test', 'di@example.test'])
  })

  test('who refuses between the comparison and the sending is not sent', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'])
    const fake = fakeDestination()
    const one = { warehouse, run: next(), definition: consenting(), fake }
    await prepare(one)
    await db.query("UPDATE people SET consent = 'denied' WHERE id = '2'")
    await send(one)
    expect([...fake.held.keys()]).toEqual(['ana@example.test'])
    const [row] = await warehouse.audiences.destinations(one.run)
    expect(row).toMatchObject({ confirmed: 1, dropped: 1 })
  })

  test('a batch whose worker died is sent again as it was, and nobody twice in the ledger', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'])
    let fails = true
    const fake = fakeDestination({}, () => {
      if (fails) throw new Error('the worker is gone')
      return undefined
    })
    const one = { warehouse, run: next(), fake }
    await prepare(one)
    await expect(send(one)).rejects.toThrow('gone')
    expect(await states()).toEqual({ 1: 'intended', 2: 'intended' })
    fails = false
    await send(one)
    expect(fake.calls.map(({ members }) => members.map(({ ref }) => ref))[1]).toEqual(fake.calls[0]!.members.map(({ ref }) => ref))
    expect(await states()).toEqual({ 1: 'confirmed', 2: 'confirmed' })
  })

  test('an id that is sent in clear stays in the ledger where a removal needs it, and nothing else in clear does', async () => {
    await have(['u1', 'ana@example.test'])
    const fake = fakeDestination({
      identifiers: { email: { normalize: email, hash: false }, external_id: { normalize: plain, hash: false, isKept: true } },
    })
    const definition = fakeAudience({ identity: { email: 'email', external_id: 'id' } })
    await push({ warehouse, run: next(), definition, fake })
    expect((await db.query('SELECT identifiers FROM _weir.audience_members')).rows).toEqual([{ identifiers: { external_id: 'u1' } }])
  })

  test('a refused member is tried again by the next push though its row did not change, and no more when tries are used up', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'])
    const fake = fakeDestination({}, (_, members) => ({
      outcomes: members
        .filter(({ identifiers }) => identifiers.email === 'ben@example.test')
        .map(({ ref }) => ({ ref, refused: { reason: 'record', message: 'This one is not wanted.' } })),
    }))
    for (let tries = 1; tries <= 4; tries++) await push({ warehouse, run: next(), fake })
    expect(await states()).toEqual({ 1: 'confirmed', 2: 'rejected' })
    const last = { warehouse, run: next(), fake }
    await push(last)
    expect(await warehouse.audiences.destinations(last.run)).toMatchObject([{ rejected: 1, dead: 1 }])
    expect(fake.calls).toHaveLength(5)
    expect((await push({ warehouse, run: next(), fake })).destinations.there).toMatchObject({ add: 0, held: 1 })
    expect(await warehouse.audiences.members({ audience: 'vip', state: ['dead'], limit: 10 })).toMatchObject([
      { key: '2', attempts: 5, message: 'This one is not wanted.' },
    ])
    await have(['1', 'ana@example.test'], ['2', 'Ben@example.test'])
    expect((await push({ warehouse, run: next(), fake })).destinations.there).toMatchObject({ add: 1, causes: { retry: 1 } })
  })

  test('who has no usable identifier is counted, noted with its reason, and looked at again only when the row changes', async () => {
    await have(
      ['1', 'ana@example.test'],
      ['2', 'not an address'],
      ['3', null],
      ['4', 'f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79'],
    )
    const fake = fakeDestination()
    const first = await push({ warehouse, run: next(), fake })
    expect(first.destinations.there!.excluded).toEqual({ no_identifier: 2, already_hashed: 1 })
    expect((await push({ warehouse, run: next(), fake })).destinations.there!.excluded).toEqual({})
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'])
    await push({ warehouse, run: next(), fake })
    expect([...fake.held.keys()]).toEqual(['ana@example.test', 'ben@example.test'])
    expect(await states()).toMatchObject({ 1: 'confirmed', 2: 'confirmed' })
    expect((await db.query('SELECT count(*)::int AS rows FROM _weir.audience_members WHERE key = $1', ['2'])).rows).toEqual([{ rows: 1 }])
  })

  test('the dead are tried again once they are asked for, from the first try on; asking twice finds none', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'], ['3', 'cy@example.test'])
    let refuses = true
    const fake = fakeDestination({}, (_, members) => ({
      outcomes: members
        .filter(({ identifiers }) => refuses && identifiers.email !== 'ana@example.test')
        .map(({ ref, identifiers }) => ({
          ref,
          refused: { reason: identifiers.email === 'ben@example.test' ? 'record' : 'permission', message: 'No.' },
          isFinal: true,
        })),
    }))
    await push({ warehouse, run: next(), fake })
    expect(await states()).toEqual({ 1: 'confirmed', 2: 'dead', 3: 'dead' })
    const ask = { audience: 'vip', by: 'ana', isDryRun: false }
    const both = ['permission', 'record'].map((reason) => ({ destination: 'there', reason, members: 1 }))
    expect(await warehouse.audiences.retry({ ...ask, isDryRun: true })).toEqual(both)
    expect(await warehouse.audiences.retry({ ...ask, destination: 'elsewhere' })).toEqual([])
    expect((await push({ warehouse, run: next(), fake })).destinations.there).toMatchObject({ add: 0 })
    expect(await warehouse.audiences.retry({ ...ask, reason: 'record' })).toEqual([both[1]])
    expect(await states()).toEqual({ 1: 'confirmed', 2: 'rejected', 3: 'dead' })
    expect(await warehouse.audiences.retry(ask)).toEqual([both[0]])
    expect(await warehouse.audiences.retry(ask)).toEqual([])
    const asked = (await warehouse.audit.list({ event: 'members_retried', limit: 10 })).map(({ detail }) => detail.destinations)
    expect(asked).toEqual([[both[0]], [both[1]]])
    refuses = false
    expect((await push({ warehouse, run: next(), fake })).destinations.there).toMatchObject({ add: 2, causes: { retry: 2 } })
    expect(await states()).toEqual({ 1: 'confirmed', 2: 'confirmed', 3: 'confirmed' })
  })

  test('who was left out for want of an identifier is looked at again when that is asked for, once', async () => {
    await have(['1', 'ana@example.test'], ['2', 'nobody'])
    const fake = fakeDestination()
    await push({ warehouse, run: next(), fake })
    const ask = { audience: 'vip', by: 'ana', isDryRun: false }
    expect(await warehouse.audiences.retry(ask)).toEqual([{ destination: 'there', reason: 'no_identifier', members: 1 }])
    expect((await push({ warehouse, run: next(), fake })).destinations.there!.excluded).toEqual({ no_identifier: 1 })
    expect((await push({ warehouse, run: next(), fake })).destinations.there!.excluded).toEqual({})
  })

  test('between two pushes it is told who joined, left and changed, and what was refused changed nothing', async () => {
    const definition = fakeAudience({ destinations: { there: fakeDestinationDefinition({ map: { ltv: { column: 'ltv' } } }) } })
    const fake = fakeDestination({}, (_, members) => ({
      outcomes: members
        .filter(({ identifiers }) => identifiers.email === 'no@example.test')
        .map(({ ref }) => ({ ref, refused: { reason: 'record', message: 'No.' } })),
    }))
    const pushed = async () => {
      const run = next()
      await push({ warehouse, run, definition, fake })
      return run
    }
    const diff = (from: string | undefined, to: string) => warehouse.audiences.diff({ audience: 'vip', from, to, limit: 10 })
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'], ['3', 'cy@example.test'], ['4', 'di@example.test'])
    const first = await pushed()
    expect((await diff(undefined, first)).destinations).toEqual([{ destination: 'there', joined: 4, left: 0, changed: 0 }])
    await have(
      ['1', 'ana@example.test'],
      ['2', 'benjamin@example.test'],
      ['4', 'di@example.test'],
      ['5', 'ed@example.test'],
      ['6', 'no@example.test'],
    )
    await db.query("UPDATE people SET ltv = 11 WHERE id = '4'")
    const second = await pushed()
    expect(await diff(first, second)).toEqual({
      destinations: [{ destination: 'there', joined: 1, left: 1, changed: 2 }],
      changes: [
        { destination: 'there', action: 'add', cause: 'new', members: 1 },
        { destination: 'there', action: 'add', cause: 'readdressed', members: 1 },
        { destination: 'there', action: 'remove', cause: 'left', members: 1 },
        { destination: 'there', action: 'remove', cause: 'readdressed', members: 1 },
        { destination: 'there', action: 'update', cause: 'changed', members: 1 },
      ],
      members: [
        { destination: 'there', key: '2', what: 'changed', cause: 'readdressed' },
        { destination: 'there', key: '4', what: 'changed', cause: 'changed' },
        { destination: 'there', key: '5', what: 'joined', cause: 'new' },
        { destination: 'there', key: '3', what: 'left', cause: 'left' },
      ],
    })
    await have(['1', 'ana@example.test'], ['3', 'cy@example.test'])
    const third = await pushed()
    expect((await diff(second, third)).destinations).toEqual([{ destination: 'there', joined: 1, left: 3, changed: 0 }])
    // Who left and came back is as before: over both, it is nobody's joining.
    expect((await diff(first, third)).destinations).toEqual([{ destination: 'there', joined: 0, left: 2, changed: 1 }])
    expect((await warehouse.audiences.diff({ audience: 'vip', from: second, to: third, limit: 2 })).members).toHaveLength(2)
  })

  test('who shares an address with somebody who stays has left all the same', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ana@example.test'])
    const fake = fakeDestination()
    const [first, second] = [next(), next()]
    await push({ warehouse, run: first, fake })
    await have(['2', 'ana@example.test'])
    await push({ warehouse, run: second, fake })
    const { members } = await warehouse.audiences.diff({ audience: 'vip', from: first, to: second, limit: 10 })
    expect(members).toEqual([{ destination: 'there', key: '1', what: 'left', cause: 'left' }])
  })

  test('a batch that is refused whole is halved until those who are meant are found', async () => {
    await have(...Array.from({ length: 8 }, (_, at): [string, string] => [`${at}`, `p${at}@example.test`]))
    const fake = fakeDestination({ batch: 8 }, (_, members) => {
      if (members.some(({ identifiers }) => identifiers.email === 'p5@example.test')) throw Object.assign(failure('a bad member'), {})
      return undefined
    })
    await push({ warehouse, run: next(), fake })
    expect(fake.held.size).toBe(7)
    expect(fake.calls.length).toBeLessThanOrEqual(1 + 2 * 3)
    expect(await states()).toMatchObject({ 5: 'rejected', 4: 'confirmed' })
  })

  test('where all are refused alike it is the mapping, and no member is blamed', async () => {
    await have(...Array.from({ length: 20 }, (_, at): [string, string] => [`${at}`, `p${at}@example.test`]))
    const fake = fakeDestination({ batch: 20 }, () => {
      throw failure('There is no property ltv.')
    })
    const one = { warehouse, run: next(), fake }
    await prepare(one)
    await expect(send(one)).rejects.toMatchObject({ reason: 'config', message: expect.stringContaining('There is no property ltv.') })
    expect(new Set(Object.values(await states()))).toEqual(new Set(['intended']))
  })

  test('keys that are null or stand twice are told before anything is sent', async () => {
    await have(['1', 'ana@example.test'], ['1', 'ben@example.test'])
    await db.query("INSERT INTO people VALUES (NULL, 'cy@example.test')")
    const fake = fakeDestination()
    await expect(prepare({ warehouse, run: next(), fake })).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringMatching(/1 rows have no id, and 1 values of id stand in more than one row\. Nothing was sent/),
    })
  })

  test('SQL that PostgreSQL refuses is the user’s to mend; values stay out of the words', async () => {
    await have(['1', 'ana@example.test'])
    const fake = fakeDestination()
    const broken = (sql: string) => fakeAudience({ model: { name: 'vip', sql, key: 'id' } })
    await expect(prepare({ warehouse, run: next(), fake, definition: broken('SELECT * FROM nowhere') })).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('Audience vip (model vip)'),
    })
    const cast = prepare({ warehouse, run: next(), fake, definition: broken('SELECT id, email::int AS email FROM people') })
    await expect(cast).rejects.toMatchObject({ reason: 'config' })
    await expect(cast).rejects.not.toThrow(/ana@/)
    await expect(prepare({ warehouse, run: next(), fake, definition: broken('SELECT * FROM people; DROP TABLE people') })).rejects.toThrow()
    expect((await db.query("SELECT to_regclass('people') IS NOT NULL AS there")).rows).toEqual([{ there: true }])
  })

  test('the end of a push clears what it held of people; nothing but the stage ever had it', async () => {
    await have(['1', 'ana@example.test'])
    const fake = fakeDestination()
    const one = { warehouse, run: next(), fake }
    await prepare(one)
    expect((await db.query("SELECT 1 FROM _weir.audience_changes WHERE identifiers::text LIKE '%ana@%'")).rows).toHaveLength(1)
    await send(one)
    await warehouse.audiences.finish(one.run, 'completed')
    for (const table of ['audience_changes', 'audience_members', 'audience_runs', 'audience_batches'])
      expect((await db.query(`SELECT 1 FROM _weir.${table} AS t WHERE t::text LIKE '%ana@%'`)).rows).toEqual([])
  })

  test('a membership that ends by itself is renewed in time', async () => {
    await have(['1', 'ana@example.test'])
    const fake = fakeDestination({ renewAfterMs: 86_400_000 })
    await push({ warehouse, run: next(), fake })
    expect((await push({ warehouse, run: next(), fake })).destinations.there).toMatchObject({ add: 0, unchanged: 1 })
    await db.query("UPDATE _weir.audience_members SET added_at = now() - interval '2 days'")
    expect((await push({ warehouse, run: next(), fake })).destinations.there).toMatchObject({ add: 1, causes: { renewed: 1 } })
  })

  test('who is refused when sent again is still held as it was: leaving the model removes, another address replaces', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'])
    const fake = fakeDestination({ renewAfterMs: 86_400_000 })
    await push({ warehouse, run: next(), fake })
    await db.query("UPDATE _weir.audience_members SET added_at = now() - interval '2 days'")
    const refusing = fakeDestination({ renewAfterMs: 86_400_000 }, (_, members) => ({
      outcomes: members.map(({ ref }) => ({ ref, refused: { reason: 'record', message: 'Not now.' } })),
    }))
    await push({ warehouse, run: next(), fake: refusing })
    expect(await states()).toEqual({ 1: 'rejected', 2: 'rejected' })
    await have(['2', 'benjamin@example.test'])
    const { destinations } = await push({ warehouse, run: next(), fake })
    expect(destinations.there).toMatchObject({ add: 1, remove: 2, causes: { left: 1, readdressed: 2 } })
    expect([...fake.held.keys()]).toEqual(['benjamin@example.test'])
  })

  test('who is refused without a name is counted in the batch, and the ledger says why of all who left with it', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'])
    const unnamed = { members: 1, message: 'One of two was refused: no consent.' }
    const fake = fakeDestination({ names: false }, () => ({ outcomes: [], unnamed }))
    const one = { warehouse, run: next(), fake }
    await push(one)
    expect(await warehouse.audiences.destinations(one.run)).toMatchObject([{ sent: 2, accepted: 1, rejected: 1 }])
    expect(await warehouse.audiences.members({ audience: 'vip', limit: 10 })).toMatchObject([
      { state: 'accepted', message: unnamed.message },
      { state: 'accepted', message: unnamed.message },
    ])
  })

  test('what removal needs in clear is kept, and no more', async () => {
    await have(['1', 'ana@example.test'])
    const definition = fakeAudience({ identity: { email: 'email' }, defaultCountry: 'DE' })
    const fake = fakeDestination({
      identifiers: { email: { normalize: email, hash: false }, country: { normalize: country, hash: false, isKept: true } },
    })
    await push({ warehouse, run: next(), fake, definition })
    expect((await db.query('SELECT identifiers FROM _weir.audience_members')).rows).toEqual([{ identifiers: { country: 'DE' } }])
  })

  test('mode remove takes back whom the model names, once', async () => {
    await have(['1', 'ana@example.test'])
    const definition = fakeAudience({ destinations: { there: fakeDestinationDefinition({ mode: 'remove' }) } })
    const fake = fakeDestination()
    fake.held.set('ana@example.test', {})
    expect((await push({ warehouse, run: next(), definition, fake })).destinations.there).toMatchObject({
      remove: 1,
      causes: { listed: 1 },
    })
    expect([...fake.held.keys()]).toEqual([])
    expect((await push({ warehouse, run: next(), definition, fake })).destinations.there).toMatchObject({ remove: 0 })
  })

  test('people leave in the order in which they were found, however many', async () => {
    await db.query('TRUNCATE _weir.audience_changes RESTART IDENTITY')
    const keys = Array.from({ length: 11 }, (_, i) => String(i + 1).padStart(2, '0'))
    await have(...keys.map((key): [string, string] => [key, `p${key}@example.test`]))
    const fake = fakeDestination()
    await push({ warehouse, run: next(), fake })
    const sent = fake.calls.flatMap(({ members }) => members.map(({ identifiers }) => identifiers.email))
    expect(sent).toEqual(keys.map((key) => `p${key}@example.test`))
  })

  test('the last push that ended well is known however many have failed since', async () => {
    await have(['1', 'ana@example.test'])
    const fake = fakeDestination()
    const definition = fakeAudience({ audience: 'unlucky', approval: { when: ['first_run'], by: [], expiresMs: 1_000 } })
    const verdict = async () => {
      const reach = async () => ({ destination: fake.destination, http: noHttp() })
      return (await previewPush({ warehouse, definition, reach, mark, now: new Date(), onProgress: () => undefined })).verdict
    }
    expect((await verdict()).reasons).toEqual(['it is the first push'])
    await push({ warehouse, run: next(), definition, fake })
    for (let failed = 0; failed < 50; failed++) {
      const run = next()
      await warehouse.audiences.begin({ run, audience: 'unlucky', definition: 'none', kind: 'manual' })
      await warehouse.audiences.finish(run, 'failed')
    }
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'])
    expect((await verdict()).reasons).toEqual([])
  })

  test('a preview says the same as a push would and keeps nothing', async () => {
    await have(['1', 'ana@example.test'], ['2', 'ben@example.test'])
    const fake = fakeDestination()
    const definition = fakeAudience()
    const { encodeFor } = await import('../../../support/audience.js')
    const seen = await warehouse.audiences.preview({
      definition,
      destinations: { there: { canRemove: true } },
      encode: encodeFor(definition, fake.destination),
      onProgress: () => undefined,
    })
    expect(seen.destinations.there).toMatchObject({ add: 2 })
    expect(seen.sample.there).toEqual([
      { action: 'add', cause: 'new', key: '1', identifiers: ['email'], fields: [] },
      { action: 'add', cause: 'new', key: '2', identifiers: ['email'], fields: [] },
    ])
    expect(seen.changeSet).toBe((await prepare({ warehouse, run: next(), fake })).changeSet)
    await db.query('TRUNCATE _weir.audience_changes')
    expect((await db.query('SELECT 1 FROM _weir.audience_members')).rows).toEqual([])
  })
})

const failure = (message: string) => new Failure('record', message)
