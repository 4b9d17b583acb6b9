import type { Definition } from '../../src/core/definition.js'
import type { Http, Stream } from '../../src/core/types.js'
import { finishStream } from '../../src/engine/finish-stream.js'
import { planBackfill } from '../../src/engine/plan-backfill.js'
import { type SyncSliceInput, syncSlice } from '../../src/engine/sync-slice.js'
import type { BackfillDetail } from '../../src/warehouse/contract/backfills.js'
import type { StreamRunRow, Warehouse } from '../../src/warehouse/driver.js'
import { fakeDefinition, fixedClock, noHttp } from './fake-source.js'

export interface Backfill {
  warehouse: Warehouse
  stream: Stream
  id: string
  run: string
  from: string
  to: string
  definition?: Definition
  http?: Http
  sliceDays?: number
  limits?: SyncSliceInput['limits']
}

export const beginBackfill = ({ warehouse, stream, id, run, from, to, definition = fakeDefinition() }: Backfill) =>
  warehouse.backfills.start({ id, run, sync: definition.sync, definition: 'none', streams: [stream.name], from, to, createdBy: 'test' })

export const planOf = ({ warehouse, stream, id, run, from, to, definition = fakeDefinition(), http = noHttp(), sliceDays }: Backfill) =>
  planBackfill({ warehouse, http, definition, stream, backfill: id, run, from, to, sliceDays })

/** One slice of a backfill, as an activity would read it. */
export const readBackfillSlice = (
  { warehouse, stream, id, run, definition = fakeDefinition(), http = noHttp(), limits }: Backfill,
  key: string,
  signal = new AbortController().signal,
) =>
  syncSlice({
    warehouse,
    http,
    clock: fixedClock(),
    attemptAt: new Date(),
    definition,
    stream,
    run,
    backfill: id,
    key,
    owner: 'test',
    signal,
    onProgress: () => {},
    ...(limits ? { limits } : {}),
  })

/** A whole backfill of one stream, as the workflow drives it. `between` is called before each slice. */
export async function backfillOnce(
  input: Backfill,
  between: (key: string) => Promise<unknown> = async () => {},
): Promise<{ row: StreamRunRow; detail: BackfillDetail }> {
  const { warehouse, stream, id, run, definition = fakeDefinition() } = input
  await beginBackfill(input)
  for (let more = true; more; ) {
    const planned = await planOf(input)
    more = planned.more
    for (const { key } of planned.slices) {
      await between(key)
      let end = await readBackfillSlice(input, key)
      while (end.more) end = await readBackfillSlice(input, key)
      more ||= end.halved === true
    }
  }
  const row = await finishStream({ warehouse, definition, stream, run, backfill: id })
  await warehouse.runs.finish(run, row.status, row, row.failure)
  await warehouse.backfills.finish(id, row.status as 'completed', row.failure)
  return { row, detail: (await warehouse.backfills.get(id))! }
}
