/** Checks of tables: what is measured, and what they said. */
import type { FailureNote } from '../../core/activities.js'
import type { QualityCheck, Severity } from '../../core/quality.js'
import type { Column } from '../../schema/encode.js'
import type { StreamRef } from './streams.js'
import type { TableSpec } from './tables.js'

/** What is measured over the current rows of a table. Rows without a value count in `nulls` only. */
export type Measure =
  /** Rows beyond the first of each combination of values. */
  | { kind: 'duplicates'; columns: readonly Column[] }
  /** Rows in which one of the columns is empty. */
  | { kind: 'nulls'; columns: readonly Column[] }
  | { kind: 'others'; column: Column; values: readonly string[] }
  | { kind: 'outside'; column: Column; min?: string; max?: string }
  /** The newest instant that does not lie after `until`. */
  | { kind: 'newest'; column: Column; until: Date }

export interface MeasureInput {
  /** A table, or what a SELECT yields. */
  spec: TableSpec | { name: string; sql: string }
  measures: readonly Measure[]
  /** Columns by which rows that fail are shown; none when they must not be. */
  shown: readonly Column[]
  timeoutMs: number
}

export interface Measured {
  rows: number
  /** For each measure in order: rows that fail, or the newest instant (undefined when there is none). */
  values: ({ failing: number; samples: Record<string, string>[] } | { newest: Date | undefined })[]
}

export interface QualityResult extends StreamRef {
  run: string
  check: QualityCheck['check']
  severity: Severity
  /** What the definition says of the check beside its name and severity. */
  parameters: Record<string, unknown>
  /** `recorded`: there was nothing to compare with yet. */
  status: 'pass' | 'fail' | 'error' | 'recorded'
  observed?: number | undefined
  threshold?: number | undefined
  unit?: 'rows' | 'percent' | 'seconds' | undefined
  /** Current rows of the table. */
  rows?: number | undefined
  failingRows?: number | undefined
  /** Keys of up to five rows that fail; never values of other columns. */
  samples: readonly Record<string, string>[]
  message: string
  checkedAt: string
}

export interface QualityStore {
  /** Columns of a table as they are now; none where there is no table. */
  columns: (spec: TableSpec) => Promise<readonly Column[]>
  /** Measures all in one scan of one snapshot, without a lock that a load would meet. What the database cannot answer is a `problem` in words. */
  measure: (input: MeasureInput) => Promise<Measured | { problem: string }>
  /** Rows that an earlier run's check counted, of those made in [from, to) the one nearest to `near`. */
  rowsBefore: (
    ref: StreamRef & { run: string },
    when: { from: Date; to: Date; near: Date },
  ) => Promise<{ rows: number; checkedAt: string } | undefined>
  /** Stores the results of a run of a stream, and how that ends: the first results stand. `failure` fails a completed run. */
  record: (ref: StreamRef & { run: string }, results: readonly QualityResult[], failure?: FailureNote) => Promise<void>
  /** Results of a run, in the order of the checks. */
  results: (run: string, stream?: string) => Promise<QualityResult[]>
  /** Results of the newest checked run of each stream of each sync. */
  latest: () => Promise<QualityResult[]>
}
