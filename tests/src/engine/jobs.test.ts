import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import type { Page, ReadContext, SyncMode } from '../../../src/core/types.js'
import { ahead } from '../../../src/extract/ahead.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { plan, readSlice, syncOnce } from '../../support/engine.js'
import { fakeStream } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

/** A vendor that makes a job of each question; what was submitted is counted. */
function vendor(mode: SyncMode, isLooking = false) {
  const submitted: string[] = []
  /** Called before anything of a job is read; may throw. */
  const held = { before: async (_: string) => {}, submitted }
  async function* read({ resume }: ReadContext): AsyncIterable<Page> {
    let job = resume?.job as string | undefined
    if (job === undefined) {
      job = `job-${submitted.length + 1}`
      submitted.push(job)
      yield { records: [], resume: { job }, isDurable: true }
    }
    await held.before(job)
    yield { records: [{ id: '1', name: 'one' }], resume: { job, part: 1 } }
    yield { records: [{ id: '2', name: 'two' }] }
  }
  const stream = fakeStream({ name: `jobs_${mode}_${isLooking}`, mode, pages: () => [] })
  const pass = { ...stream.passes[0], read: isLooking ? (context: ReadContext) => ahead(read(context)) : read }
  return { stream: { ...stream, passes: [pass] as const }, held }
}

describe.each(servers())('a job at the vendor, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })
  const positionOf = async (stream: string) =>
    (await db.query<{ position: unknown }>('SELECT position FROM _weir.checkpoints WHERE stream = $1', [stream])).rows[0]?.position

  it.each([
    ['merge', false],
    ['merge', true],
    ['replace', false],
    ['replace_slice', true],
  ] as const)(
    'is in the checkpoint before anything of it is read, and submitted once whatever fails then: %s, looking ahead: %s',
    async (mode, isLooking) => {
      const { stream, held } = vendor(mode, isLooking)
      const drive = { warehouse, stream, run: `run-${stream.name}` }
      const seen: unknown[] = []
      held.before = async () => {
        seen.push(await positionOf(stream.name))
        if (seen.length < 4) throw new Failure('transient', 'the worker was lost')
      }
      const { slices } = await plan(drive)
      for (let attempt = 1; attempt < 4; attempt++) await expect(readSlice(drive, slices[0]!.key)).rejects.toThrow('the worker was lost')
      expect(await syncOnce(drive)).toMatchObject({ status: 'completed', read: 2, loaded: 2 })
      expect(held.submitted).toEqual(['job-1'])
      expect(seen).toEqual(Array.from({ length: 4 }, () => ({ resume: { job: 'job-1' } })))
      expect((await db.query(`SELECT id FROM fake.${stream.name} ORDER BY id`)).rows).toEqual([{ id: '1' }, { id: '2' }])
    },
  )
})
