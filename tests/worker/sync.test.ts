import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SliceReceipt } from '../../src/core/activities.js'
import type { Clock } from '../../src/core/ports.js'
import { noMeter } from '../../src/observe/metrics.js'
import { noTrace } from '../../src/observe/trace.js'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { createWarehouse } from '../../src/warehouse/postgres/warehouse.js'
import { syncActivities } from '../../worker/activities/sync.js'
import type { Deps } from '../../worker/deps.js'
import { plan } from '../support/engine.js'
import { fakeDefinition, fakeStream, noHttp } from '../support/fake-source.js'
import { freshDatabase } from '../support/postgres.js'

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

const stream = fakeStream({
  pages: () => Array.from({ length: 20 }, (_, i) => [{ id: String(i), name: `name ${i}`, updated: '2026-01-01T00:00:00Z' }]),
})
const definition = fakeDefinition()

describe('the activity that reads a slice', () => {
  let database: { url: string; drop: () => Promise<void> }
  let warehouse: Warehouse
  beforeAll(async () => {
    database = await freshDatabase()
    warehouse = createWarehouse(database.url)
    await warehouse.migrate()
    await warehouse.definitions.put('hash', definition)
  })
  afterAll(async () => {
    await warehouse.close()
    await database.drop()
  })

  const attempt = async (run: string, number: number): Promise<SliceReceipt> => {
    const deps = {
      warehouse,
      clock: tickingClock(),
      redact: (text: string) => text,
      meter: noMeter,
      trace: noTrace,
      connect: async () => ({ source: { type: 'fake', streams: { [stream.name]: stream } }, http: noHttp() }),
    }
    const { slices } = await plan({ warehouse, stream, run, full: true })
    const input = { sync: definition.sync, definition: 'hash', stream: stream.name, run, slice: slices[0]!.key, label: 'everything' }
    const environment = new MockActivityEnvironment({ attempt: number })
    return environment.run(syncActivities(deps as unknown as Deps).syncSlice, input) as Promise<SliceReceipt>
  }

  it('reads on to the end of the slice, the first time', async () => {
    const receipt = await attempt('run-1', 1)
    expect(receipt.read).toBe(20)
    expect(receipt.more).toBeUndefined()
  })

  it('hands the slice back soon after a failed attempt, with what it committed, so that back-off begins anew', async () => {
    const receipt = await attempt('run-2', 12)
    expect(receipt.more).toBe(true)
    expect(receipt.waitUntil).toBeUndefined()
    expect(receipt.read).toBeGreaterThan(0)
    expect(receipt.read).toBeLessThan(20)
  })
})
