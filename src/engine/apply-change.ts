import type { Definition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { FieldType, Stream } from '../core/types.js'
import { columnFor, takenId, takenName } from '../schema/encode.js'
import type { ChangeRow, OpenTable, StreamRef, Warehouse } from '../warehouse/driver.js'
import { knownTableSpec } from './table-spec.js'

export interface ApplyInput {
  warehouse: Warehouse
  definition: Definition
  stream: Stream
  run: string
  change: number
  /** Where an earlier call stopped. */
  after?: string | undefined
}

export interface Applied {
  filled: number
  next?: string
  /** A run that began before the column was there may still put values into `_weir_extra`: call again when it has ended. */
  isBusy: boolean
}

/** Gives an approved field its column and moves what `_weir_extra` holds of it there, some rows a call. A repeat changes nothing. */
export async function applyChange({ warehouse, definition, stream, run, change: id, after }: ApplyInput): Promise<Applied> {
  const ref = { sync: definition.sync, stream: stream.name, run }
  const [change] = await warehouse.changes.list({ ids: [id] })
  if (change?.field === undefined || change.status !== 'approved')
    throw new Failure('config', `Schema change ${id} is not one that was approved. Look: weir changes show ${id}`, ref)
  const spec = await knownTableSpec(warehouse, definition, stream)
  const standing = await warehouse.tables.open(ref, spec, { adds: false })
  const { field, variant } = change
  const wanted = { field, type: change.type as FieldType, ...(variant === undefined ? {} : { variant }) }
  const table = await warehouse.tables.addColumns(ref, standing, new Map([[takenId(wanted), wanted]]))
  if (columnFor(table.columns, field, variant) === undefined)
    throw new Failure(
      'config',
      `${spec.schema}.${spec.table} has as many columns as it may have; ${takenName(wanted)} stays in _weir_extra.`,
      ref,
    )
  const isBusy = await warehouse.changes.isBusy(ref)
  return { ...(await warehouse.changes.fill(change, table, after)), isBusy }
}

/**
 * Under the policy `evolve` a field that waited may have got its column by coming again: what `_weir_extra` still holds of it moves there.
 * A repeat goes on where it was cut off.
 * @returns the changes that this concerned
 */
export async function fillEvolved(warehouse: Warehouse, ref: StreamRef, table: OpenTable): Promise<ChangeRow[]> {
  const waiting = await warehouse.changes.list({ sync: ref.sync, stream: ref.stream, status: ['captured', 'pending', 'rejected'] })
  const evolved = waiting.filter(({ field, variant }) => columnFor(table.columns, field, variant) !== undefined)
  for (const change of evolved) await fillWhole(warehouse, table, change)
  return evolved
}

/** The same when nobody reads the stream any more: afterwards nobody has to decide. */
export async function closeEvolved(warehouse: Warehouse, ref: StreamRef, table: OpenTable): Promise<void> {
  for (const { id } of await fillEvolved(warehouse, ref, table)) await warehouse.changes.decide(id, 'approved', 'on_schema_change: evolve')
}

/** Fields that were approved while a backfill read by what it knew before: what it put into `_weir_extra` moves to their columns. */
export async function fillApproved(warehouse: Warehouse, ref: StreamRef, table: OpenTable, backfill: string): Promise<void> {
  const { createdAt } = (await warehouse.backfills.get(backfill))!
  const approved = await warehouse.changes.list({ sync: ref.sync, stream: ref.stream, status: ['approved'] })
  for (const change of approved) {
    if (change.decidedAt !== undefined && change.decidedAt >= createdAt) await fillWhole(warehouse, table, change)
  }
}

async function fillWhole(warehouse: Warehouse, table: OpenTable, change: ChangeRow): Promise<void> {
  for (let after: string | undefined, more = true; more; more = after !== undefined)
    after = (await warehouse.changes.fill(change, table, after)).next
}
