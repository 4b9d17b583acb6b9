/** What happens to the shapes of tables, and what people decide of it. */
import type { FieldType } from '../../core/types.js'
import type { Missing } from '../../schema/encode.js'
import type { StreamRef } from './streams.js'
import type { OpenTable, TableSpec } from './tables.js'

export type ChangeStatus = 'applied' | 'noted' | 'captured' | 'pending' | 'approved' | 'rejected'

export type NotedChange = 'field_gone' | 'field_back' | 'row_overflow'

/** What happened, or is to happen, to the shape of a table. */
export interface ChangeRow extends StreamRef {
  id: number
  schema: string
  table: string
  change: string
  field?: string
  /** Of the field's values only those of this type are meant: they have a column of their own. */
  variant?: FieldType
  column?: string
  type?: string
  status: ChangeStatus
  run?: string
  createdAt: string
  decidedBy?: string
  decidedAt?: string
  filled?: number
}

export interface ChangeStore {
  /** Notes new fields that got no column; one entry a field however often it is met. */
  hold: (ref: StreamRef & { run: string }, table: TableSpec, fields: Missing, status: 'captured' | 'pending') => Promise<void>
  /** Notes what needs no decision; said again only after something else was said of the field. */
  note: (ref: StreamRef & { run: string }, table: TableSpec, change: NotedChange, fields: readonly string[]) => Promise<void>
  /** Compares the declared fields that records carried with those that they used to carry. */
  seen: (ref: StreamRef & { run: string }, table: TableSpec, carried: readonly string[], absent: readonly string[]) => Promise<void>
  list: (filter: {
    sync?: string
    stream?: string
    status?: readonly ChangeStatus[]
    ids?: readonly number[]
    run?: string
    limit?: number
  }) => Promise<ChangeRow[]>
  /** Rows whose value for the change's field waits in `_weir_extra`. */
  waiting: (change: ChangeRow) => Promise<number>
  decide: (id: number, decision: 'approved' | 'rejected', by: string) => Promise<boolean>
  /** Moves values from `_weir_extra` into the approved column, a bounded number of rows a call; `next` is where to go on. */
  fill: (change: ChangeRow, table: OpenTable, after?: string) => Promise<{ filled: number; next?: string }>
  /** Does a live run read the stream now? Its attempts know the columns of when they began; a backfill fills at its own end. */
  isBusy: (ref: StreamRef) => Promise<boolean>
}
