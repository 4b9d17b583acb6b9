import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noCounts, nothingUsed } from '../../../src/core/receipt.js'
import { plan } from '../../support/engine.js'
import { fakeStream } from '../../support/fake-source.js'
import { type Opened, openedDatabase, servers } from '../../support/postgres.js'

const soon = () => new Date(Date.now() + 30_000).toISOString()

describe.each(servers())('what a run waits for, in PostgreSQL $name', ({ url }) => {
  let opened: Opened
  beforeAll(async () => {
    opened = await openedDatabase(url)
  })
  afterAll(() => opened.close())

  it('shows in how its streams stand, as long as it lies ahead and the stream runs', async () => {
    const { warehouse } = opened
    const stream = fakeStream({ name: 'waiting', pages: () => [] })
    const { slices } = await plan({ warehouse, stream, run: 'run-1' })
    const slice = { sync: 'fake', stream: 'waiting', run: 'run-1', key: slices[0]!.key }
    const shown = async () => [(await warehouse.reports.streams('run-1'))[0]?.wait, (await warehouse.reports.statuses())[0]?.wait]
    expect(await shown()).toEqual([undefined, undefined])

    const until = soon()
    await warehouse.slices.waits(slice, { until, for: 'quota' })
    expect(await shown()).toEqual([
      { until, for: 'quota' },
      { until, for: 'quota' },
    ])
    const claim = await warehouse.slices.claim({ ...slice, owner: 'test', attemptAt: new Date() })
    await warehouse.slices.release(claim, nothingUsed(), { until, for: 'vendor' })
    expect((await shown())[0]).toEqual({ until, for: 'vendor' })

    await warehouse.slices.waits(slice, { until: new Date(Date.now() - 1_000).toISOString(), for: 'quota' })
    expect(await shown()).toEqual([undefined, undefined])
    // Of another run that has the slice now it says nothing.
    await warehouse.slices.waits({ ...slice, run: 'run-0' }, { until, for: 'quota' })
    expect(await shown()).toEqual([undefined, undefined])
  })

  it('warnings of a run stand beside its end', async () => {
    const { warehouse } = opened
    const run = { run: 'run-2', sync: 'fake', definition: 'hash', kind: 'manual' as const }
    await warehouse.runs.start({ ...run, warnings: ['Vendor v1 ends soon.'] })
    await warehouse.runs.start({ ...run, run: 'run-3' })
    await warehouse.runs.finish('run-2', 'completed', noCounts())
    const listed = await warehouse.runs.list({ sync: 'fake', limit: 9 })
    expect(listed.map(({ warnings }) => warnings)).toEqual(expect.arrayContaining([['Vendor v1 ends soon.'], []]))
  })
})
