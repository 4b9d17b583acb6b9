import type { Row as TableRow } from '../kit/table.js'

export type Cell = string | number | boolean | null

/** A record as it is kept. Instants are milliseconds; what everyone sees is made of them when it is shown. */
export interface Row extends TableRow {
  readonly cells: Readonly<Record<string, Cell>>
  readonly createdMs: number
  /** Moves with edits of people. */
  readonly modifiedMs: number
  /** Moves with every change of a stored value, those of the system too; never with a formula. */
  readonly stampMs: number
  /** In the bin since. */
  readonly deletedMs: number | null
}

/** Seconds are the finest instants that the vendor stores. */
export const second = (ms: number): number => Math.floor(ms / 1000) * 1000
export const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
/** `+0000` in REST. */
export const restInstant = (ms: number): string => new Date(ms).toISOString().replace('Z', '+0000')
