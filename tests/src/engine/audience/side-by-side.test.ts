import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Outgoing } from '../../../../src/core/audience.js'
import { Failure } from '../../../../src/core/failure.js'
import type { Warehouse } from '../../../../src/warehouse/driver.js'
import { audienceKey, fakeDestination, prepare, push, send } from '../../../support/audience.js'
import { openedDatabase, servers } from '../../../support/postgres.js'

describe.each(servers())('batches side by side, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: () => Promise<void>
  let runs = 0
  const next = () => `run-${++runs}`

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url, { key: audienceKey }))
    await db.query('CREATE TABLE people (id text, email text)')
  })
  afterAll(() => close())
  beforeEach(async () => {
    await db.query('TRUNCATE people, _weir.audience_members, _weir.audience_changes, _weir.audience_batches RESTART IDENTITY')
  })
  const add = (from: number, to: number) =>
    db.query(
      "INSERT INTO people SELECT lpad(n::text, 2, '0'), 'p' || lpad(n::text, 2, '0') || '@example.test' FROM generate_series($1::int, $2) AS n",
      [from, to],
    )
  const emailsOf = (members: readonly Outgoing[]) => members.map(({ identifiers }) => identifiers.email!)
  const states = async () =>
    (await db.query<{ key: string; state: string }>('SELECT key, state FROM _weir.audience_members ORDER BY key')).rows.map(
      ({ key, state }) => `${key} ${state}`,
    )

  test('four are under way together, or as many as the destination says', async () => {
    await add(1, 12)
    for (const lanes of [undefined, 2]) {
      let open = 0
      let most = 0
      let go: (() => void) | undefined
      const allHere = new Promise<void>((resolve) => {
        go = resolve
      })
      const fake = fakeDestination({
        ...(lanes === undefined ? {} : { lanes }),
        add: async () => {
          most = Math.max(most, ++open)
          // None is answered before as many have come as may: one after the other they would wait for ever.
          if (open === (lanes ?? 4)) go!()
          await allHere
          open--
          return { outcomes: [] }
        },
      })
      await db.query('TRUNCATE _weir.audience_members')
      await push({ warehouse, run: next(), fake })
      expect(most).toBe(lanes ?? 4)
    }
  })

  test('no addition leaves while a removal is under way', async () => {
    await add(1, 9)
    const fake = fakeDestination()
    await push({ warehouse, run: next(), fake })
    await db.query("UPDATE people SET email = 'new-' || email")
    const said: string[] = []
    const { add: adds, remove } = fake.destination
    fake.destination = {
      ...fake.destination,
      add: async (...call) => {
        said.push('add')
        return adds(...call)
      },
      remove: async (...call) => {
        const answer = await remove!(...call)
        await new Promise((resolve) => setImmediate(resolve))
        said.push('removed')
        return answer
      },
    }
    await push({ warehouse, run: next(), fake })
    expect(said).toEqual(['removed', 'removed', 'removed', 'add', 'add', 'add'])
    expect(fake.held.size).toBe(9)
  })

  test('what one batch comes to is noted though another breaks off, and that one alone is sent again', async () => {
    await add(1, 9)
    let isBroken = true
    const fake = fakeDestination({}, (_, members) => {
      if (isBroken && emailsOf(members).includes('p05@example.test')) throw new Failure('transient', 'The line is down.')
      return undefined
    })
    const one = { warehouse, run: next(), fake }
    await prepare(one)
    await expect(send(one)).rejects.toThrow('The line is down.')
    expect((await states()).filter((state) => state.endsWith('confirmed'))).toHaveLength(6)
    isBroken = false
    fake.calls.length = 0
    await send(one)
    expect(fake.calls.map(({ members }) => emailsOf(members))).toEqual([['p04@example.test', 'p05@example.test', 'p06@example.test']])
    expect((await states()).filter((state) => state.endsWith('confirmed'))).toHaveLength(9)
  })

  test('people of one identity are in one batch, however many they are', async () => {
    await add(1, 8)
    await db.query("UPDATE people SET email = 'info@example.test' WHERE id IN ('02', '04', '05', '06', '07')")
    const fake = fakeDestination()
    let together: string[][] = []
    const waves: string[][][] = []
    await push({
      warehouse,
      run: next(),
      fake: {
        ...fake,
        destination: {
          ...fake.destination,
          add: async (http, target, members) => {
            together.push(emailsOf(members))
            return fake.destination.add(http, target, members)
          },
        },
      },
      before: async () => {
        waves.push(together)
        together = []
      },
    })
    const holding = waves.map((wave) => wave.filter((batch) => batch.includes('info@example.test')).length)
    expect(Math.max(...holding)).toBe(1)
    expect(await states()).toEqual(Array.from({ length: 8 }, (_, at) => `0${at + 1} confirmed`))
  })

  test('of a batch that was halved each job is asked for its own members', async () => {
    await add(1, 4)
    const jobs = new Map<string, string[]>()
    const fake = fakeDestination({
      batch: 4,
      add: async (_http, _target, members) => {
        if (members.length > 2) throw new Failure('too_large', 'Too large.')
        const id = `job-${jobs.size + 1}`
        jobs.set(id, emailsOf(members))
        return { outcomes: [], job: { id, askAgainMs: 1 } }
      },
      // As vendors do that name each member: whom the job does not know is refused.
      poll: async (_http, _target, job, _action, members) => ({
        outcomes: members.map(({ ref, identifiers }) =>
          jobs.get(job.id)!.includes(identifiers.email!)
            ? { ref, vendorId: ref }
            : { ref, refused: { reason: 'record', message: 'It was not in this job.' } },
        ),
      }),
    })
    await push({ warehouse, run: next(), fake })
    expect(jobs.size).toBe(2)
    expect(await states()).toEqual(['01 confirmed', '02 confirmed', '03 confirmed', '04 confirmed'])
  })
})
