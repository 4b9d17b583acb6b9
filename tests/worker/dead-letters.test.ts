import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { ReplayReceipt } from '../../src/core/activities.js'
import { noMeter } from '../../src/observe/metrics.js'
import { noTrace } from '../../src/observe/trace.js'
import { createWarehouse } from '../../src/warehouse/postgres/warehouse.js'
import { createActivities } from '../../worker/activities/index.js'
import type { Deps } from '../../worker/deps.js'
import { syncOnce } from '../support/engine.js'
import { fakeDefinition, fakeStream, fixedClock, noHttp } from '../support/fake-source.js'
import { encrypted, type LetterBase, letterBase, person } from '../support/letters.js'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

describe('the activities of a run and of a replay', () => {
  let base: LetterBase
  const stream = fakeStream({ name: 'people', pages: () => [[person(1, { name: 'refused' }), person(2)]] })

  beforeAll(async () => {
    base = await letterBase(inject('postgresUrl'))
  })
  afterAll(() => base.close())

  const activities = (deps: Partial<Deps> = {}) =>
    createActivities({
      warehouse: base.warehouse,
      clock: fixedClock(),
      log: quiet,
      redact: (text) => text,
      meter: noMeter,
      trace: noTrace,
      timing: { heartbeatMs: 1000, retryMs: 100 },
      connect: async () => ({ source: { type: 'fake', streams: { people: stream }, check: async function* () {} }, http: noHttp() }),
      close: async () => {},
      ...deps,
    }).work

  it('refuse a run that could not seal its dead letters, before a vendor is asked for anything', async () => {
    await base.warehouse.definitions.put('sealed', { ...encrypted(), streams: { people: {} } })
    const warehouse = createWarehouse(base.url)
    try {
      const connect = () => Promise.reject(new Error('a vendor was asked'))
      const start = activities({ warehouse, connect }).startRun
      await expect(
        new MockActivityEnvironment().run(start, { run: 'r1', sync: 'fake', definition: 'sealed', kind: 'manual' as const }),
      ).rejects.toMatchObject({ type: 'config', nonRetryable: true, message: expect.stringContaining('WEIR_KEY is not set') })
    } finally {
      await warehouse.close()
    }
  })

  it('replay by the definition that is named, with counts for the history and the rest in a row', async () => {
    await base.warehouse.definitions.put('plain', fakeDefinition({ streams: { people: {} } }))
    await syncOnce({ warehouse: base.warehouse, stream: fakeStream({ name: 'people', pages: () => [] }), run: 'first' })
    await base.rows("ALTER TABLE fake.people ADD CONSTRAINT wanted CHECK (name <> 'refused')")
    await syncOnce({ warehouse: base.warehouse, stream, run: 'second', full: true })
    await base.rows('ALTER TABLE fake.people DROP CONSTRAINT wanted')
    const { replayLetters, finishReplay } = activities()
    const input = { run: 'replay', sync: 'fake', definition: 'plain', stream: 'people', filter: { run: 'second' } }
    const part = await new MockActivityEnvironment().run(replayLetters, input)
    expect(part).toEqual({ tried: 1, after: expect.any(String), more: false, readAgain: false })
    const end = await new MockActivityEnvironment().run(finishReplay, { ...input, readAgain: false })
    const { handover, ...receipt } = end as ReplayReceipt
    expect(receipt).toEqual({ loaded: 1, unchanged: 0, failed: 0, reopened: 0, readAgain: false })
    expect(await base.warehouse.handovers.take(handover)).toMatchObject({ letters: [{ key: '1', outcome: 'loaded' }], isCut: false })
  })
})
