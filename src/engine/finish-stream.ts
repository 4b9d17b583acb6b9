import type { Acceptance, FailureNote, RunStatus } from '../core/activities.js'
import type { Definition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import { balances } from '../core/receipt.js'
import type { Counts, Stream } from '../core/types.js'
import type { StreamRunRow, Warehouse } from '../warehouse/driver.js'
import { closeEvolved, fillApproved } from './apply-change.js'
import { deadLettersOf, sweepLetters } from './dead-letters.js'
import { tableSpec } from './table-spec.js'
import { policyOf } from './typer.js'

export interface FinishInput {
  warehouse: Warehouse
  definition: Definition
  stream: Stream
  run: string
  /** Whose run it is, where it is not the live sync's. */
  backfill?: string | undefined
  failure?: FailureNote | undefined
  cancelled?: boolean | undefined
  accept?: readonly Acceptance[] | undefined
}

/**
 * Settles a stream's run: snapshot exchanged, watermarks moved, counts summed and checked. A second call answers as the first. Of a
 * backfill's run neither a snapshot nor a watermark is touched.
 */
export async function finishStream(input: FinishInput): Promise<StreamRunRow> {
  const { warehouse, definition, stream, run, failure, cancelled } = input
  const ref = { sync: definition.sync, stream: stream.name, run }
  const table = tableSpec(definition, stream)
  const endedEarly = failure !== undefined || cancelled === true
  // An empty stream has a table too.
  const standing = endedEarly ? undefined : await warehouse.tables.open(ref, table, { adds: false })
  const status = (counts: Counts, letters: number) => outcome(definition, stream, counts, letters, failure, cancelled)
  if (input.backfill !== undefined) {
    if (standing) await fillApproved(warehouse, ref, standing, input.backfill)
    return warehouse.backfills.finishStream({ ...ref, backfill: input.backfill }, status)
  }
  const row = await warehouse.streams.finish(ref, { table, endedEarly, hold: (snapshot) => collapsed(input, snapshot), status })
  if (standing && policyOf(definition, stream) === 'evolve') await closeEvolved(warehouse, ref, standing)
  await sweepLetters(warehouse, definition, stream.name)
  return row
}

/** More than half of the rows gone at once is more often a fault of the source than the truth. */
const maxShrinkPercent = 50
/** Below so many rows that would go, a share says little; nothing left at all always says something. */
const fewRows = 10

/** Why a snapshot must not take the table's place: part of it could not be read, or it has collapsed and nobody agreed. */
function collapsed(
  { definition, stream, accept }: FinishInput,
  { before, after, setAside }: { before: number; after: number; setAside: number },
): FailureNote | undefined {
  const name = `${definition.sync}/${stream.name}`
  if (setAside > 0) {
    const message = `${setAside} slices of ${name} could not be read and were set aside, so the snapshot is not whole: the table stays as it was.`
    return { reason: 'permanent', message }
  }
  if (accept?.includes('shrink') || before === 0) return undefined
  const most = definition.streams[stream.name]?.maxShrinkPercent ?? maxShrinkPercent
  const gone = before - after
  const isCollapse = after === 0 || (gone > fewRows && (100 * gone) / before > most)
  if (!isCollapse) return undefined
  const bound = after === 0 ? 'nothing would be left' : `more than ${most} % would go (max_shrink)`
  const message = `The snapshot of ${name} has ${after} rows, the table ${before}: ${bound}, so the table stays as it was. If the source is right, run: weir sync ${definition.sync} --stream ${stream.name} --accept shrink`
  return { reason: 'gate', message }
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
