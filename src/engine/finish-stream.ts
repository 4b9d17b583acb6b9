import type { FailureNote, RunStatus } from '../core/activities.js'
import type { Definition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import { balances } from '../core/receipt.js'
import type { Counts, Stream } from '../core/types.js'
import type { StreamRunRow, Warehouse } from '../warehouse/driver.js'
import { deadLettersOf, sweepLetters } from './dead-letters.js'
import { tableSpec } from './table-spec.js'

export interface FinishInput {
  warehouse: Warehouse
  definition: Definition
  stream: Stream
  run: string
  failure?: FailureNote | undefined
  cancelled?: boolean | undefined
}

/** Settles a stream's run: snapshot exchanged, watermarks moved, counts summed and checked. A second call answers as the first. */
export async function finishStream({ warehouse, definition, stream, run, failure, cancelled }: FinishInput): Promise<StreamRunRow> {
  const ref = { sync: definition.sync, stream: stream.name, run }
  const spec = tableSpec(definition, stream)
  const endedEarly = failure !== undefined || cancelled === true
  // An empty stream has a table too; and a snapshot of nothing has a stage to be compared with.
  if (!endedEarly) await warehouse.tables.open(ref, spec)
  const row = await warehouse.streams.finish(ref, {
    ...(endedEarly ? {} : { table: spec }),
    status: (counts, letters) => outcome(definition, stream, counts, letters, failure, cancelled),
  })
  await sweepLetters(warehouse, definition, stream.name)
  return row
}

function outcome(
  definition: Definition,
  stream: Stream,
  counts: Counts,
  letters: number,
  failure: FailureNote | undefined,
  cancelled: boolean | undefined,
): { status: RunStatus; failure?: FailureNote } {
  if (cancelled) return { status: 'cancelled' }
  if (failure) return { status: 'failed', failure }
  if (!balances(counts)) {
    const { read, loaded, unchanged, deadLetters } = counts
    throw new Failure(
      'bug',
      `The counts of ${definition.sync}/${stream.name} do not add up: read ${read}, loaded ${loaded}, unchanged ${unchanged}, dead letters ${deadLetters}.`,
    )
  }
  const share = counts.read === 0 ? 0 : (100 * counts.deadLetters) / counts.read
  const { maxPercent } = deadLettersOf(definition, stream.name)
  if (share > maxPercent) {
    const message = `${counts.deadLetters} of ${counts.read} records became dead letters (${share.toFixed(2)} %), ${maxPercent} % are allowed (dead_letters.max_percent). What was good is loaded; look at the rest: weir dlq list ${definition.sync} --stream ${stream.name}`
    return { status: 'failed', failure: { reason: 'threshold', message } }
  }
  return { status: counts.deadLetters + letters > 0 ? 'completed_with_dead_letters' : 'completed' }
}
