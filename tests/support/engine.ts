import type { Acceptance } from '../../src/core/activities.js'
import type { Definition } from '../../src/core/definition.js'
import type { Http, Stream } from '../../src/core/types.js'
import { finishStream } from '../../src/engine/finish-stream.js'
import { planSlices } from '../../src/engine/plan-slices.js'
import { type SyncSliceInput, syncSlice } from '../../src/engine/sync-slice.js'
import type { StreamRunRow, Warehouse } from '../../src/warehouse/driver.js'
import { fakeDefinition, fixedClock, noHttp } from './fake-source.js'

export interface Drive {
  warehouse: Warehouse
  stream: Stream
  run: string
  /** Where the stream asks a vendor. */
  http?: Http
  definition?: Definition
  now?: string
  full?: boolean
  accept?: Acceptance[]
  limits?: SyncSliceInput['limits']
}

/** One slice of a run, as an activity would read it. */
export const readSlice = (
  { warehouse, stream, run, definition = fakeDefinition(), now, limits, http = noHttp() }: Drive,
  key: string,
  owner = 'test',
) =>
  syncSlice({
    warehouse,
    http,
    clock: fixedClock(now),
    definition,
    stream,
    run,
    key,
    owner,
    attemptAt: new Date(),
    signal: new AbortController().signal,
    onProgress: () => {},
    ...(limits ? { limits } : {}),
  })

export const plan = ({ warehouse, stream, run, definition = fakeDefinition(), now, full = false, accept, http = noHttp() }: Drive) =>
  planSlices({ warehouse, http, definition, stream, run, full, accept, now: fixedClock(now).now() })

/** A whole run of one stream, as the workflow drives it: plan, every slice, finish. */
export async function syncOnce(drive: Drive): Promise<StreamRunRow> {
  const { warehouse, stream, run, definition = fakeDefinition() } = drive
  for (let more = true; more; ) {
    const planned = await plan(drive)
    more = planned.more
    for (const { key } of planned.slices) {
      let end = await readSlice(drive, key)
      while (end.more) end = await readSlice(drive, key)
      more ||= end.halved === true
    }
  }
  return finishStream({ warehouse, definition, stream, run, accept: drive.accept })
}
