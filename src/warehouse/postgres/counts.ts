import { noCounts } from '../../core/receipt.js'
import type { Counts } from '../../core/types.js'

const columnOf: Record<keyof Counts, string> = {
  read: 'read',
  loaded: 'loaded',
  unchanged: 'unchanged',
  deadLetters: 'dead_letters',
  deleted: 'deleted',
  bytes: 'bytes',
  requests: 'requests',
  retries: 'retries',
  waitedMs: 'waited_ms',
  waits: 'waits',
  vendorMs: 'vendor_ms',
  warehouseMs: 'warehouse_ms',
}
const keys = Object.keys(columnOf) as (keyof Counts)[]

/** The columns that hold counts, in the order of `countValues`. */
export const countColumns: readonly string[] = keys.map((key) => columnOf[key])
export const countValues = (counts: Counts): number[] => keys.map((key) => Math.round(counts[key]))

/** Counts out of a row; bigint columns come as text and stay far below 2^53. */
export function countsOf(row: Record<string, unknown>): Counts {
  const counts = noCounts()
  for (const key of keys) counts[key] = Number(row[columnOf[key]] ?? 0)
  return counts
}
