import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import { type Segment, split } from '../../../src/schema/lines.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { plan, readSlice } from '../../support/engine.js'
import { fakeStream } from '../../support/fake-source.js'
import { type Opened, openedDatabase } from '../../support/postgres.js'

const linesOf = (segments: readonly Segment[]) => split(segments).map(({ bytes }) => bytes.toString())

describe('the memory of a batch', () => {
  let opened: Opened
  beforeAll(async () => {
    opened = await openedDatabase()
  })
  afterAll(() => opened.close())

  it('is taken back when its rows are in the warehouse, and not before', async () => {
    const { warehouse, db } = opened
    const commits: { segments: readonly Segment[]; came: string[] }[] = []
    let fails = true
    const commit: Warehouse['slices']['commit'] = async (batch) => {
      commits.push({ segments: batch.segments, came: linesOf(batch.segments) })
      if (fails) throw new Failure('transient', 'cut off')
      return warehouse.slices.commit(batch)
    }
    const records = Array.from({ length: 95 }, (_, i) => ({ id: String(i), name: `name ${i}`, updated: '2026-01-01T00:00:00Z' }))
    const pages = () => Array.from({ length: 10 }, (_, i) => records.slice(10 * i, 10 * i + 10))
    const drive = {
      warehouse: { ...warehouse, slices: { ...warehouse.slices, commit } },
      stream: fakeStream({ name: 'people', pages }),
      run: 'run-1',
      limits: { batchBytes: 200 },
    }
    const { slices } = await plan(drive)
    const key = slices[0]!.key
    await expect(readSlice(drive, key)).rejects.toThrow('cut off')
    const [first] = commits
    expect(first!.came.join()).toContain('name 9')
    expect(linesOf(first!.segments)).toEqual(first!.came)
    fails = false
    await readSlice(drive, key)
    expect(commits.length).toBeGreaterThan(5)
    expect(commits.slice(1).flatMap(({ segments }) => segments)).toEqual([])
    const { rows } = await db.query('SELECT id, name FROM fake.people ORDER BY id::int')
    expect(rows).toEqual(records.map(({ id, name }) => ({ id, name })))
  })
})
