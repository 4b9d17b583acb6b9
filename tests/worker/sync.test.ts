import type { ApplicationFailure } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SliceReceipt } from '../../src/core/activities.js'
import type { Clock } from '../../src/core/ports.js'
import { sliceKey } from '../../src/core/slices.js'
import type { Stream } from '../../src/core/types.js'
import { noMeter } from '../../src/observe/metrics.js'
import { noTrace } from '../../src/observe/trace.js'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { syncActivities } from '../../worker/activities/sync.js'
import type { Deps } from '../../worker/deps.js'
import { plan } from '../support/engine.js'
import { fakeDefinition, fakeStream, noHttp } from '../support/fake-source.js'
import { openedDatabase, servers } from '../support/postgres.js'

/** Each look at it is half a second later. */
function tickingClock(): Clock {
  let at = Date.parse('2026-06-01T00:00:00.000Z')
  return {
    now: () => {
      at += 500
      return new Date(at)
    },
    sleep: () => Promise.resolve(),
  }
}

const pages = Array.from({ length: 20 }, (_, i) => [{ id: String(i), name: `name ${i}`, updated: '2026-01-01T00:00:00Z' }])
const stream = fakeStream({ pages: () => pages })
const definition = fakeDefinition()

/** A promise, and what fulfils it. */
function gate(): [Promise<void>, () => void] {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return [opened, open]
}

describe.each(servers())('the activity that reads a slice, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let close: (() => Promise<void>) | undefined
  beforeAll(async () => {
    ;({ warehouse, close } = await openedDatabase(url))
    await warehouse.definitions.put('hash', definition)
  })
  afterAll(async () => {
    await close?.()
  })

  interface Attempt {
    run: string
    number: number
    of?: Stream
    /** What the worker waits for before it does anything with what it was handed. */
    standsStill?: () => Promise<void>
  }
  /** Attempts of one run are scheduled in the order of their numbers, a second apart. */
  const attempt = async ({ run, number, of = stream, standsStill }: Attempt): Promise<SliceReceipt> => {
    const deps = {
      warehouse,
      clock: tickingClock(),
      redact: (text: string) => text,
      meter: noMeter,
      trace: noTrace,
      connect: async () => {
        await standsStill?.()
        return { source: { type: 'fake', streams: { [of.name]: of } }, http: noHttp() }
      },
    }
    const { slices } = await plan({ warehouse, stream: of, run, full: true })
    const input = { sync: definition.sync, definition: 'hash', stream: of.name, run, slice: slices[0]!.key, label: 'everything' }
    const environment = new MockActivityEnvironment({ attempt: number, currentAttemptScheduledTimestampMs: number * 1_000 })
    return environment.run(syncActivities(deps as unknown as Deps).syncSlice, input) as Promise<SliceReceipt>
  }

  it('reads on to the end of the slice, the first time', async () => {
    const receipt = await attempt({ run: 'run-1', number: 1 })
    expect(receipt.read).toBe(20)
    expect(receipt.more).toBeUndefined()
  })

  it('hands the slice back soon after a failed attempt, with what it committed, so that back-off begins anew', async () => {
    const receipt = await attempt({ run: 'run-2', number: 12 })
    expect(receipt.more).toBe(true)
    expect(receipt.waitUntil).toBeUndefined()
    expect(receipt.read).toBeGreaterThan(0)
    expect(receipt.read).toBeLessThan(20)
  })

  it('does not take its slice from the attempt after it, where its worker stood still before it began', async () => {
    const [thawing, thaw] = gate()
    const [holding, holds] = gate()
    const [going, goOn] = gate()
    let readers = 0
    const of = fakeStream({
      name: 'overtaken',
      pages: () => pages,
      before: async (page) => {
        if (page > 0 || ++readers > 1) return
        holds()
        await going
      },
    })
    const first = attempt({ run: 'run-3', number: 1, of, standsStill: () => thawing })
    const second = attempt({ run: 'run-3', number: 2, of })
    await holding
    thaw()
    await expect(first).rejects.toMatchObject({ type: 'fenced' })
    goOn()
    expect(await second).toMatchObject({ more: true, read: 1 })
  })

  it('is tried again when its slice was taken from it, until so many claims brought nothing', async () => {
    const run = 'run-4'
    const of = fakeStream({
      name: 'twins',
      pages: () => pages,
      // Where one attempt is handed out twice, neither is the older one.
      before: async (_, { slice }) => {
        const ref = { sync: definition.sync, stream: 'twins', run, key: sliceKey(slice) }
        await warehouse.slices.claim({ ...ref, owner: 'twin', attemptAt: new Date(5_000) })
      },
    })
    const failures: unknown[] = []
    for (let isOver = false; !isOver && failures.length < 20; ) {
      const failure = await attempt({ run, number: 5, of }).catch((error: unknown) => error as ApplicationFailure)
      failures.push(failure)
      isOver = (failure as ApplicationFailure).nonRetryable !== false
    }
    expect(failures.slice(0, -1)).toEqual(Array(4).fill(expect.objectContaining({ type: 'fenced' })))
    expect(failures.at(-1)).toMatchObject({ type: 'transient', message: expect.stringContaining('made no progress') })
  })

  it('is not tried again when its slice is planned no more', async () => {
    const of = fakeStream({ name: 'gone', pages: () => pages })
    const [begun, begins] = gate()
    const [thawing, thaw] = gate()
    const standsStill = () => {
      begins()
      return thawing
    }
    const late = attempt({ run: 'run-5', number: 1, of, standsStill })
    await begun
    await warehouse.state.reset({ sync: definition.sync, stream: of.name })
    thaw()
    await expect(late).rejects.toMatchObject({ type: 'fenced', nonRetryable: true })
  })
})
