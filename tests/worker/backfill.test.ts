import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SliceReceipt } from '../../src/core/activities.js'
import type { BackfillSlices, BackfillStep } from '../../src/core/backfill.js'
import { createActivities } from '../../worker/activities/index.js'
import type { AlertDeps } from '../../worker/deps.js'
import { fakeDefinition, fakeStream, fixedClock, idleDeps, noHttp } from '../support/fake-source.js'
import { type Opened, openedDatabase } from '../support/postgres.js'

const stream = fakeStream({ pages: () => [[{ id: '1', name: 'a', updated: '2026-01-02T00:00:00Z' }]] })
const whole = fakeStream({ name: 'whole', mode: 'replace', pages: () => [] })

describe('the activities of a backfill', () => {
  let opened: Opened
  beforeAll(async () => {
    opened = await openedDatabase()
    await opened.warehouse.definitions.put('hash', fakeDefinition())
  })
  afterAll(() => opened?.close())

  const step: BackfillStep = {
    id: 'one',
    run: 'run-1',
    sync: 'fake',
    definition: 'hash',
    streams: ['people'],
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-02-01T00:00:00.000Z',
    by: 'ana',
  }

  it('send every request behind those of live syncs', async () => {
    const { warehouse } = opened
    const asked: (string | undefined)[] = []
    const deps = {
      warehouse,
      clock: fixedClock(),
      redact: (text: string) => text,
      timing: { heartbeatMs: 2_000, retryMs: 100 },
      ...idleDeps,
      connect: async (_: unknown, __: unknown, options?: { priority?: string }) => {
        asked.push(options?.priority)
        return { source: { type: 'fake', streams: { people: stream, whole } }, http: noHttp(), shareMs: 1_000 }
      },
    }
    const { work } = createActivities(deps as unknown as AlertDeps)
    const run = <I, O>(activity: (input: I) => Promise<O>, input: I) => new MockActivityEnvironment().run(activity, input) as Promise<O>
    expect(await run(work.startBackfill, step)).toMatchObject({ vendor: 'fake', parallel: 4 })
    await expect(run(work.startBackfill, { ...step, id: 'two', run: 'run-2', streams: ['whole'] })).rejects.toMatchObject({
      type: 'config',
      message: expect.stringMatching(/weir sync fake --stream whole --full/),
    })
    const planned: BackfillSlices = await run(work.planBackfill, { ...step, stream: 'people' })
    expect(planned).toMatchObject({
      slices: [{ key: 'main/2026-01-01T00:00:00.000Z..2026-02-01T00:00:00.000Z' }],
      progress: { total: 1, done: 0 },
    })
    const slice = { sync: 'fake', definition: 'hash', run: 'run-1', stream: 'people', backfill: 'one', slice: planned.slices[0]!.key }
    const receipt: SliceReceipt = await run(work.syncSlice, slice)
    expect(receipt).toMatchObject({ read: 1, loaded: 1 })
    expect(new Set(asked)).toEqual(new Set(['backfill']))
    expect(await run(work.finishStream, slice)).toMatchObject({ status: 'completed', read: 1 })
    expect(await run(work.planBackfill, { ...step, stream: 'people' })).toMatchObject({ slices: [], ended: { status: 'completed' } })
    await run(work.finishBackfill, { id: 'one', status: 'completed' as const })
    expect(await warehouse.backfills.get('one')).toMatchObject({ status: 'completed', createdBy: 'ana', slices: { total: 1, done: 1 } })
  })
})
