/** Rebuilds of tables out of the records that were kept. */
import type { RebuildCounts, RebuildReceipt } from '../../core/rebuild.js'
import type { Letter } from './letters.js'
import type { StreamRef } from './streams.js'
import type { OpenTable, TableSpec } from './tables.js'

/** A rebuild of a table, as far as it has come. */
export interface Rebuild extends StreamRef {
  run: string
  isDryRun: boolean
  /** The row that was looked at last; undefined before the first. */
  position: RowPlace | undefined
  counts: RebuildCounts
}

/** Where a row stands: what tells it apart, in the table's own order. */
export type RowPlace = readonly string[]

export interface RawRow {
  place: RowPlace
  /** Changes whenever somebody writes the row. */
  version: string
  /** JSON text; null where the row holds none. */
  raw: string | null
}

export interface RebuildBatch {
  table: OpenTable
  /** Rows to compare, and to write where they differ and nobody wrote them since. */
  rows: readonly (Pick<RawRow, 'place' | 'version'> & { line: string; letter: (message: string) => Letter })[]
  letters: readonly Letter[]
  /** Are payloads of letters to be sealed? */
  encrypt: boolean
  /** What is known already; what was rewritten comes on top. */
  counts: RebuildCounts
  position: RowPlace
}

export interface RebuildStore {
  /**
   * Notes the rebuild, once.
   * @throws Failure `config` while a run reads the stream, or where there is no table
   */
  start: (ref: StreamRef & { run: string; definition: string; isDryRun: boolean }, spec: TableSpec) => Promise<void>
  open: (run: string) => Promise<Rebuild>
  /** The table as it stands; nothing is added to it. */
  look: (spec: TableSpec) => Promise<OpenTable>
  /** The next rows in the order of their places, some megabytes at most. */
  rows: (spec: TableSpec, after: RowPlace | undefined) => Promise<RawRow[]>
  /** Rows, dead letters, counts and position in one transaction; throws `fenced` when another attempt went on from here. */
  commit: (rebuild: Rebuild, batch: RebuildBatch) => Promise<Rebuild>
  /** Repeats harmlessly: the first end stands. */
  finish: (run: string, end: (counts: RebuildCounts) => Pick<RebuildReceipt, 'status' | 'failure'>) => Promise<RebuildReceipt>
}
