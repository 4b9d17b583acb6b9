/** Tables of streams, and the modes that they are kept in. */
import type { Bounds, Fields, SyncMode } from '../../core/types.js'
import type { Column, Missing } from '../../schema/encode.js'
import type { SliceOwner, StreamRef } from './streams.js'

/** A table, and how its rows are told apart and ordered. */
export interface TableSpec {
  schema: string
  table: string
  key: readonly string[]
  mode: SyncMode
  fields: Fields
  /** Field whose value orders versions of a row. */
  cursor?: string
  /** Field that holds the instant of deletion. */
  deletedAt?: string
  /** Fields that bound the rows of a slice, for `replace_slice`. */
  bounds?: Bounds
  /** Is the record as it was read kept beside each row? */
  keepsRaw?: boolean
  /** Which key made the table's hashes, and which fields of the row's key are hashed. */
  hashed?: { by: string; keyFields: readonly string[] }
}

export interface OpenTable {
  spec: TableSpec
  columns: readonly Column[]
  /** Has the table as many columns as it may have? Then new fields go to `_weir_extra`. */
  isFull: boolean
  /** Did the run that asks make it? Then most of what it reads is not there yet. */
  isNew: boolean
}

export interface TableStore {
  /** Creates the table; with `adds` also the declared columns that it lacks. The returned columns are what is there now. */
  open: (ref: SliceOwner & { run: string }, spec: TableSpec, options: { adds: boolean }) => Promise<OpenTable>
  /** The mode that each table of a schema is kept in, by the table's name. */
  modes: (schema: string) => Promise<Record<string, SyncMode>>
  /** Keeps a table in the spec's mode from now on; rows that it has no place for go. */
  switchMode: (ref: StreamRef & { run: string }, spec: TableSpec) => Promise<void>
  /** Adds columns, a short transaction of its own; repeats harmlessly. */
  addColumns: (ref: StreamRef & { run: string }, table: OpenTable, missing: Missing) => Promise<OpenTable>
}
