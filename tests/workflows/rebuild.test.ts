import { randomUUID } from 'node:crypto'
import { WorkflowFailedError } from '@temporalio/client'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { governedSource } from '../../src/columns/governed.js'
import { definitionHash } from '../../src/config/hash.js'
import { Failure } from '../../src/core/failure.js'
import type { RebuildCounts, RebuildInput } from '../../src/core/rebuild.js'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { rebuildActivities } from '../../worker/activities/rebuild.js'
import { type Deps, systemClock } from '../../worker/deps.js'
import { plan, syncOnce } from '../support/engine.js'
import { fakeDefinition, fakeStream, idleDeps, noHttp } from '../support/fake-source.js'
import { keepHistory } from '../support/histories.js'
import { openedDatabase } from '../support/postgres.js'
import { fakeActivities, type Running, withWorker } from '../support/workflows.js'

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const records = Array.from({ length: 2_500 }, (_, at) => ({ id: String(at).padStart(5, '0'), updated: '2026-01-01T00:00:00Z', n: at }))

describe('the rebuild of a table, by a worker', () => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase())
  })
  afterAll(async () => {
    await close?.()
  })

  /** A table that was loaded with raw records, its definition, and activities for it over `by`. */
  const loaded = async (by: Partial<Warehouse['rebuilds']> = {}) => {
    const sync = `s${randomUUID().slice(0, 8)}`
    const definition = fakeDefinition({ sync, schema: sync, streams: { people: { raw: 'keep' } } })
    const source = governedSource(
      { type: 'fake', streams: { people: fakeStream({ pages: () => [records] }) }, check: async function* () {} },
      definition,
      undefined,
    )
    const stream = source.streams.people!
    await syncOnce({ warehouse, stream, run: `run-${sync}`, definition })
    await db.query(`UPDATE ${sync}.people SET n = -1`)
    const hash = definitionHash(definition)
    await warehouse.definitions.put(hash, definition)
    const deps: Deps = {
      warehouse: { ...warehouse, rebuilds: { ...warehouse.rebuilds, ...by } },
      clock: systemClock,
      log: quiet,
      redact: (text) => text,
      timing: { heartbeatMs: 2_000, retryMs: 100 },
      connect: async () => ({ source, http: noHttp() }),
      ...idleDeps,
      close: async () => {},
    }
    const input: RebuildInput = { sync, definition: hash, stream: 'people' }
    return { sync, stream, definition, input, work: { ...fakeActivities(), ...rebuildActivities(deps) } }
  }

  const start = ({ client, queue }: Running, input: RebuildInput) =>
    client.workflow.start('rebuildTable', { taskQueue: queue, workflowId: `rebuild/${input.sync}/${input.stream}`, args: [input] })

  it('goes on behind its last page after failures, and says what it did', async () => {
    let commits = 0
    const { sync, input, work } = await loaded({
      async commit(rebuild, batch) {
        const after = await warehouse.rebuilds.commit(rebuild, batch)
        if (++commits < 3) throw new Failure('transient', 'the connection was lost after the commit')
        return after
      },
    })
    await withWorker({ work }, async (running) => {
      const handle = await start(running, input)
      expect(await handle.result()).toEqual({ status: 'completed', examined: 2_500, rewritten: 2_500, withoutRaw: 0, deadLetters: 0 })
      const { rows } = await db.query(`SELECT count(*)::int AS n FROM ${sync}.people WHERE n = id::int AND _weir_run_id = $1`, [
        handle.firstExecutionRunId,
      ])
      expect(rows).toEqual([{ n: 2_500 }])
      expect(commits).toBe(3)
      const again = await start(running, { ...input, dryRun: true })
      expect(await again.result()).toMatchObject({ examined: 2_500, rewritten: 0 })
      if (process.env.WEIR_RECORD) {
        await keepHistory(running.client, 'rebuildTable', handle.workflowId, handle.firstExecutionRunId)
      }
    })
  })

  it('ends red where a run reads the stream, and names that run', async () => {
    const { stream, definition, input, work } = await loaded()
    await warehouse.runs.start({ run: 'run-under-way', sync: input.sync, definition: input.definition, kind: 'manual' })
    await plan({ warehouse, stream, run: 'run-under-way', now: '2026-07-01T00:00:00.000Z', definition })
    await withWorker({ work }, async (running) => {
      const error = await (await start(running, input)).result().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(WorkflowFailedError)
      expect((error as WorkflowFailedError).cause).toMatchObject({ type: 'config', message: expect.stringContaining('Run run-under-way') })
    })
    const { rows } = await db.query('SELECT count(*)::int AS n FROM _weir.rebuilds WHERE sync = $1', [input.sync])
    expect(rows).toEqual([{ n: 0 }])
  })

  it('keeps what is rewritten when it is cancelled, and says so', async () => {
    let begun: (counts: RebuildCounts) => void = () => {}
    const isUnderWay = new Promise<RebuildCounts>((resolve) => {
      begun = resolve
    })
    let isCancelled: () => void = () => {}
    const cancelled = new Promise<void>((resolve) => {
      isCancelled = resolve
    })
    const { sync, input, work } = await loaded({
      async commit(rebuild, batch) {
        const after = await warehouse.rebuilds.commit(rebuild, batch)
        begun(after.counts)
        await cancelled
        return after
      },
    })
    const { rebuildRows } = work
    work.rebuildRows = async (step) => {
      const { Context } = await import('@temporalio/activity')
      Context.current().cancellationSignal.addEventListener('abort', () => isCancelled(), { once: true })
      return rebuildRows(step)
    }
    await withWorker({ work }, async (running) => {
      const handle = await start(running, input)
      const counts = await isUnderWay
      await handle.cancel()
      await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } })
      const { rows } = await db.query(
        `SELECT status, rewritten::int, (SELECT count(*)::int FROM ${sync}.people WHERE n >= 0) AS there FROM _weir.rebuilds WHERE sync = $1`,
        [sync],
      )
      expect(rows).toEqual([{ status: 'cancelled', rewritten: counts.rewritten, there: counts.rewritten }])
    })
  })
})
