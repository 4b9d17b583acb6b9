import { WorkflowFailedError } from '@temporalio/client'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Definition } from '../../src/core/definition.js'
import type { QualityCheck, Severity } from '../../src/core/quality.js'
import type { Stream } from '../../src/core/types.js'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { createWarehouse } from '../../src/warehouse/postgres/warehouse.js'
import { createActivities } from '../../worker/activities/index.js'
import { systemClock } from '../../worker/deps.js'
import { fakeDefinition, fakeStream, idleDeps, noHttp } from '../support/fake-source.js'
import { type Database, freshDatabase } from '../support/postgres.js'
import { withWorker } from '../support/workflows.js'

const quiet = () => {}
const people = [
  { id: '1', name: 'ann', updated: '2026-01-01T00:00:00Z' },
  { id: '2', updated: '2026-01-02T00:00:00Z' },
]
const streams: Record<string, Stream> = Object.fromEntries(
  ['checked', 'plain'].map((name) => [name, fakeStream({ name, pages: () => [people] })]),
)

describe('quality checks through a whole run: workflow, activities, warehouse', () => {
  let database: Database
  let warehouse: Warehouse

  beforeAll(async () => {
    database = await freshDatabase()
    warehouse = createWarehouse(database.url)
    await warehouse.migrate()
  })
  afterAll(async () => {
    await warehouse?.close()
    await database?.drop()
  })

  /** Runs a sync of two streams, of which one is checked; answers with its run's id and what it ended with. */
  async function run(sync: string, severity: Severity, check: Record<string, unknown>) {
    const quality = [{ severity, ...check }] as QualityCheck[]
    const definition: Definition = fakeDefinition({ sync, schema: sync, streams: { checked: { quality }, plain: {} } })
    await warehouse.definitions.put(sync, definition)
    const deps = {
      warehouse,
      clock: systemClock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      redact: (text: string) => text,
      timing: { heartbeatMs: 2_000, retryMs: 100 },
      connect: async () => ({ source: { type: 'fake', streams, check: async function* () {} }, http: noHttp() }),
      ...idleDeps,
      close: async () => {},
    }
    let ended: unknown
    let id = ''
    await withWorker({ work: createActivities(deps).work }, async ({ start }) => {
      const { handle, result } = await start({ sync, definition: sync })
      id = handle.firstExecutionRunId
      ended = await result().catch((error: unknown) => (error instanceof WorkflowFailedError ? error.cause : error))
    })
    const [row] = (await warehouse.runs.list({ sync, limit: 1 })).filter((one) => one.run === id)
    return { ended, row, streams: await warehouse.runs.streams(id), results: await warehouse.quality.results(id) }
  }

  it('a check that warns leaves the run completed and its result in the table', async () => {
    const { ended, row, streams: ends, results } = await run('warned', 'warn', { check: 'not_null', columns: ['name'] })
    expect(ended).toMatchObject({ status: 'completed', loaded: 4 })
    expect(row).toMatchObject({ status: 'completed' })
    expect(ends.map(({ status }) => status)).toEqual(['completed', 'completed'])
    expect(results).toMatchObject([{ stream: 'checked', check: 'not_null', status: 'fail', failingRows: 1, samples: [{ id: '2' }] }])
  })

  it('a check that blocks fails its stream and names the reason; the rows stay and the sibling completes', async () => {
    const { ended, row, streams: ends, results } = await run('blocked', 'block', { check: 'not_null', columns: ['name'] })
    expect(ended).toMatchObject({ type: 'quality', message: expect.stringContaining('not_null(name) of blocked/checked') })
    expect(row).toMatchObject({ status: 'partial', failure: { reason: 'quality' }, loaded: 4 })
    expect(ends).toMatchObject([
      { stream: 'checked', status: 'failed', failure: { reason: 'quality' }, loaded: 2 },
      { stream: 'plain', status: 'completed' },
    ])
    expect(results).toMatchObject([{ severity: 'block', status: 'fail' }])
    const db = new pg.Client({ connectionString: database.url })
    await db.connect()
    expect((await db.query('SELECT count(*)::int AS n FROM blocked.checked')).rows).toEqual([{ n: 2 }])
    await db.end()
    expect((await warehouse.state.read({ sync: 'blocked', stream: 'checked' })).watermarks).toHaveLength(1)
  })

  it('a check that blocks and passes changes nothing', async () => {
    const { row, results } = await run('passed', 'block', { check: 'unique', columns: ['id'] })
    expect(row).toMatchObject({ status: 'completed' })
    expect(results).toMatchObject([{ status: 'pass', observed: 0 }])
    expect((await warehouse.quality.latest()).filter(({ sync }) => sync === 'passed')).toEqual(results)
  })
})
