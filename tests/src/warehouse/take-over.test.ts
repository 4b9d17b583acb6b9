import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { finishStream } from '../../../src/engine/finish-stream.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

/** What PostgreSQL sees of a worker that stands still: a session that holds its slice, and never says another word. */
// Most of each is waiting, so they wait together.
describe.concurrent.each(servers())('a worker that stands still inside a transaction, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let databaseUrl: string
  let close: (() => Promise<void>) | undefined
  let count = 0

  beforeAll(async () => {
    ;({ warehouse, url: databaseUrl, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  /** A run with one slice planned, and the drive of it. */
  const planned = async () => {
    const name = `s${++count}`
    const stream = fakeStream({ name, pages: () => [[{ id: '1', name: 'a', updated: '2026-01-01T00:00:00Z' }]] })
    const drive = { warehouse, stream, run: `run-${name}` }
    const { slices } = await plan(drive)
    return { name, drive, key: slices[0]!.key }
  }
  /** A session that has locked the slices of a stream, as a commit does. `ended` says whether it was ended from outside. */
  const holding = async (stream: string, who: string) => {
    const client = new pg.Client({ connectionString: databaseUrl, application_name: who })
    let isEnded = false
    client.on('error', () => {
      isEnded = true
    })
    await client.connect()
    await client.query('BEGIN')
    await client.query('SELECT 1 FROM _weir.checkpoints WHERE stream = $1 FOR UPDATE', [stream])
    return { client, isEnded: () => isEnded, end: () => client.end().catch(() => undefined) }
  }
  const inCopy = async (client: pg.Client) => {
    await client.query('CREATE TEMP TABLE weir_batch (id text)')
    const copy = client.query(copyFrom('COPY weir_batch FROM STDIN'))
    copy.on('error', () => {})
    copy.write('1\n')
  }
  /** From the start of `work` to its end, in seconds. */
  const seconds = async (work: () => Promise<unknown>) => {
    const startedAt = performance.now()
    await work()
    return (performance.now() - startedAt) / 1_000
  }

  it.each([
    ['in the middle of a COPY', inCopy],
    ['between two statements', async () => {}],
  ])('%s does not keep its slice from the next attempt', { timeout: 30_000 }, async (_, standStill) => {
    const { name, drive, key } = await planned()
    const frozen = await holding(name, 'weir')
    await standStill(frozen.client)
    // The next attempt comes when the heartbeat has timed out; from there it may take ten seconds.
    expect(await seconds(() => readSlice(drive, key))).toBeLessThan(10)
    expect(frozen.isEnded()).toBe(true)
    await frozen.end()
  })

  it('keeps neither its run from ending, nor the next run from planning', { timeout: 60_000 }, async () => {
    const { name, drive } = await planned()
    const cut = { reason: 'transient', message: 'the worker was lost' }
    const first = await holding(name, 'weir')
    await inCopy(first.client)
    await finishStream({ ...drive, definition: fakeDefinition(), failure: cut })
    const second = await holding(name, 'weir')
    await inCopy(second.client)
    expect(await syncOnce({ ...drive, run: 'run-next' })).toMatchObject({ status: 'completed', loaded: 1 })
    expect([first.isEnded(), second.isEnded()]).toEqual([true, true])
    await Promise.all([first.end(), second.end()])
  })

  it('is told from a session of somebody else, which is waited for', { timeout: 30_000 }, async () => {
    const { name, drive, key } = await planned()
    const theirs = await holding(name, 'psql')
    const ours = await holding(`${name} of others`, 'weir')
    const reading = readSlice(drive, key)
    // Longer than the patience with our own.
    await theirs.client.query('SELECT pg_sleep(7)')
    expect([theirs.isEnded(), ours.isEnded()]).toEqual([false, false])
    await theirs.client.query('ROLLBACK')
    expect((await reading).counts.read).toBe(1)
    await Promise.all([theirs.end(), ours.end()])
  })
})
